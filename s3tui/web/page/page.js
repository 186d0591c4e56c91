// The terminal (textual.js, which is there already) opens when the page has loaded, and asks at the address that stands here.
document.getElementById("terminal").dataset.sessionWebsocketUrl = `${location.origin.replace(/^http/, "ws")}/ws`;
document.getElementById("again").addEventListener("click", () => location.reload());

// Keys go to the terminal without a click into it.
const focusTerminal = () => document.querySelector(".xterm-helper-textarea")?.focus();
window.addEventListener("load", focusTerminal);
window.addEventListener("focus", focusTerminal);
