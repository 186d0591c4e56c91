"""The one table of everything a person can do. Bindings, key bar, palette and help are made from it.

`ui.keys` of the configuration maps a command's id to other keys. An id that occurs in several places is one command for the keys'
sake: remapping `cancel` remaps it wherever a job can be cancelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from textual.binding import Binding


class Where(StrEnum):
    """Where a command works; the value is the heading in the help."""

    APP = "Everywhere"
    LIST = "In every list"
    JOBS = "Jobs"
    NEW = "New job"
    TREE = "Folders to choose from"
    PLACES = "Places"
    TARGETS = "Targets to choose from"
    PLAN = "Plan"
    TRANSFERS = "Transfers"
    FAILURES = "Failures by cause"
    FAILED = "Failures of one cause"
    REJECTS = "Rejected records"
    COURSE = "Throughput"
    WORKERS = "Workers"
    SETTINGS = "Settings"
    KEYS = "Keys"
    LOG = "Log"


SCREENS = (
    (Where.JOBS, Where.LIST),
    (Where.NEW, Where.TREE, Where.LIST),
    (Where.PLACES, Where.LIST),
    (Where.TARGETS, Where.LIST),
    (Where.PLAN, Where.LIST),
    (Where.TRANSFERS, Where.LIST),
    (Where.FAILURES, Where.LIST),
    (Where.FAILED, Where.LIST),
    (Where.REJECTS, Where.LIST),
    (Where.COURSE,),
    (Where.WORKERS, Where.LIST),
    (Where.SETTINGS, Where.LIST),
    (Where.KEYS, Where.LIST),
    (Where.LOG, Where.LIST),
)
"""Which places are on one screen, its own first; what works everywhere works there, too."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a person can do."""

    id: str
    keys: str
    """Textual's key names, separated by commas."""
    title: str
    help: str
    action: str
    where: Where
    bar: str = ""
    """Its word in the key bar; empty: not shown there."""


def _views() -> tuple[Command, ...]:
    words = (("all", "all files"), ("active", "files in flight"), ("queued", "files that wait"), ("failed", "failed files"))
    names = (*words, ("done", "files that are stored or skipped"))
    return tuple(
        Command(f"view-{name}", str(number), f"View: {name}", f"Show {text}.", f"view('{name}')", where)
        for where in (Where.PLAN, Where.TRANSFERS)
        for number, (name, text) in enumerate(names, start=1)
    )


def _sorting(where: Where) -> tuple[Command, ...]:
    return (
        Command("sort", "o", "Sort", "Sort by the next column; a click on its name, too.", "sort", where),
        Command("invert-order", "O", "Invert order", "Show the list the other way round.", "invert_order", where),
    )


def _marking(where: Where) -> tuple[Command, ...]:
    return (
        Command("mark", "space", "Mark file", "Mark the selected file, and go to the next.", "mark", where),
        Command("range", "v", "Mark range", "Mark from here to where v is pressed again.", "mark_range", where),
        Command("invert", "asterisk", "Invert marks", "Mark what is not marked, and unmark the rest.", "invert_marks", where),
    )


REASONS = (
    "too_few_fields",
    "too_many_fields",
    "unclosed_quote",
    "text_after_quote",
    "too_large",
    "undecodable",
    "nul",
    "type_mismatch",
)
"""Why a record is rejected: `tabular.rejects.Reason`, which a test holds against this. Each has a key of its own."""


def _reasons() -> tuple[Command, ...]:
    words = [(reason, reason.replace("_", " ")) for reason in REASONS]
    return tuple(
        Command(f"reason-{name.replace('_', '-')}", str(key), f"Rejected: {word}", text, f"reason('{name}')", Where.REJECTS)
        for key, (name, word, text) in enumerate(
            [("all", "all", "Show all rejected records."), *((name, word, f"Show only: {word}.") for name, word in words)], start=1
        )
    )


def _plots() -> tuple[Command, ...]:
    words = (("all", "all figures"), ("bytes", "bytes per second"), ("files", "files or rows per second"), ("trouble", "errors"))
    return tuple(
        Command(f"plot-{name}", str(number), f"Draw: {text}", f"Draw {text}.", f"plot('{name}')", Where.COURSE)
        for number, (name, text) in enumerate(words, start=1)
    )


def _scrolling(where: Where) -> tuple[Command, ...]:
    return (
        Command("detail-down", "J,shift+down", "Scroll detail down", "Scroll the detail down.", "scroll_detail(1)", where),
        Command("detail-up", "K,shift+up", "Scroll detail up", "Scroll the detail up.", "scroll_detail(-1)", where),
    )


def _failures() -> tuple[Command, ...]:
    causes, files = Where.FAILURES, Where.FAILED
    group = "Send all that failed for this cause again."
    every, marked = "Send every failed file again.", "Send the selected or the marked failed files again."
    return (
        Command("open", "enter", "Open cause", "Show the files that failed for this cause.", "open", causes, "Files"),
        Command("retry-group", "r", "Retry group", group, "retry_group", causes, "Retry group"),
        Command("retry-all", "R", "Retry all failed", every, "retry_all", causes, "Retry all"),
        Command("detail", "i", "Detail", "Show the selected cause in full.", "detail", causes, "Detail"),
        *_scrolling(causes),
        Command("copy-error", "y,Y", "Copy error", "Copy the error of the example.", "copy_error", causes, "Copy error"),
        Command("back", "escape", "Back", "Go back to the job.", "back", causes, "Job"),
        Command("detail", "enter,i", "Detail", "Show the selected file in full.", "detail", files, "Detail"),
        *_scrolling(files),
        Command("retry", "r", "Retry file", marked, "retry", files, "Retry"),
        Command("retry-group", "a", "Retry group", group, "retry_group", files, "Retry group"),
        Command("retry-all", "R", "Retry all failed", every, "retry_all", files, "Retry all"),
        Command("filter", "slash", "Filter", "Show only paths that contain a text.", "filter", files, "Filter"),
        *_sorting(files),
        *_marking(files),
        Command("copy", "y", "Copy key", "Copy the selected file's s3:// address.", "copy", files),
        Command("copy-error", "Y", "Copy error", "Copy why the selected file failed.", "copy_error", files, "Copy error"),
        Command("back", "escape", "Back", "Close filter or detail, or go back to the causes.", "back", files, "Causes"),
    )


COMMANDS: tuple[Command, ...] = (
    Command("open", "enter", "Open job", "Open the selected job and watch it.", "open", Where.JOBS, "Open"),
    Command("new", "n", "New job", "Choose folders and files to upload or back up.", "new", Where.JOBS, "New job"),
    Command("pause", "p", "Pause or resume", "Pause the selected job, or let it go on.", "pause", Where.JOBS, "Pause"),
    Command("cancel", "x", "Cancel job…", "Break the selected job off; asks first.", "cancel", Where.JOBS, "Cancel"),
    Command(
        "retry-all",
        "R",
        "Retry all failed",
        "Send every failed file of the selected job again.",
        "retry_all",
        Where.JOBS,
        "Retry failed",
    ),
    Command("failures", "F", "Failures", "Show what failed of the job, grouped by cause.", "failures", Where.JOBS),
    Command("throughput", "t", "Throughput", "Draw how fast the selected job was, all along.", "course", Where.JOBS),
    Command("copy", "y", "Copy target", "Copy the selected job's target.", "copy", Where.JOBS),
    Command(
        "review",
        "ctrl+r",
        "Show the plan",
        "Scan what is marked and show what would happen.",
        "review",
        Where.NEW,
        "Show the plan",
    ),
    Command(
        "next-field", "tab", "Next field", "Go to the next field; shift+tab goes back.", "app.focus_next", Where.NEW, "Next field"
    ),
    Command("back", "escape", "Back", "Drop range or filter, or leave; nothing is started.", "back", Where.NEW, "Back"),
    Command("mark", "space", "Mark", "Mark the folder or file, or unmark it.", "mark", Where.TREE, "Mark"),
    Command("expand", "enter,right,l", "Open folder", "Show what is in the folder.", "expand", Where.TREE),
    Command("collapse", "left,h", "Close folder", "Hide what is in the folder, or go up to it.", "collapse", Where.TREE),
    Command("parent", "backspace", "Folder above", "Start the tree one folder higher.", "parent", Where.TREE, "Folder above"),
    Command("hidden", "full_stop", "Hidden files", "Show or hide names that begin with a dot.", "hidden", Where.TREE, "Hidden"),
    Command("range", "v", "Mark a range", "Begin a range here; again: mark all of it.", "range", Where.TREE, "Range"),
    Command("invert", "asterisk", "Invert marks", "Invert the marks on show in this folder.", "invert", Where.TREE),
    Command("filter", "slash", "Filter", "Show only names that contain a text.", "filter", Where.TREE, "Filter"),
    Command("measure", "s", "Sum up", "Sum up the selected folder; again: stop.", "measure", Where.TREE, "Sum up"),
    Command("measure-marked", "S", "Sum up marks", "Sum up all that is marked; again: stop.", "measure_marked", Where.TREE),
    Command("places", "f5,ctrl+o", "Places…", "Go home, to a bookmark, or to a recent place.", "places", Where.NEW, "Places"),
    Command("targets", "f4,ctrl+g", "Browse targets…", "Choose a bucket and prefix from lists.", "targets", Where.NEW, "Targets"),
    Command("choose", "enter", "Choose", "Go to the folder, or take the target.", "choose", Where.PLACES, "Choose"),
    Command("mark", "space", "Mark", "Mark it as it is, and go back.", "mark", Where.PLACES, "Mark"),
    Command("bookmark", "b", "Bookmark", "Bookmark the place, or remove its bookmark.", "bookmark", Where.PLACES, "Bookmark"),
    Command("back", "escape", "Back", "Go back to the form.", "back", Where.PLACES, "Back"),
    Command("choose", "enter", "Choose", "Take this bucket or prefix as the target.", "choose", Where.TARGETS, "Choose"),
    Command("expand", "right,l", "Open", "List what is in the bucket or below the prefix.", "expand", Where.TARGETS, "Open"),
    Command("collapse", "left,h,backspace", "Up", "Go one prefix up, or to the buckets.", "collapse", Where.TARGETS, "Up"),
    Command("filter", "slash", "Filter", "Show only names that contain a text.", "filter", Where.TARGETS, "Filter"),
    Command("type-name", "n", "Type a name", "Type a new prefix, or the name of a bucket.", "type_name", Where.TARGETS, "Type"),
    Command("list-more", "m", "List more", "Go on with a list that is long.", "list_more", Where.TARGETS),
    Command("back", "escape", "Back", "Drop the filter, or go back to the form.", "back", Where.TARGETS, "Back"),
    Command(
        "apply",
        "enter",
        "Apply this plan",
        "Do exactly this; asks before sources are deleted.",
        "apply",
        Where.PLAN,
        "Apply this plan",
    ),
    Command("filter", "slash", "Filter", "Show only paths that contain a text.", "filter", Where.PLAN, "Filter"),
    *_sorting(Where.PLAN),
    Command("detail", "i", "Detail", "Show the selected file in full.", "detail", Where.PLAN, "Detail"),
    *_scrolling(Where.PLAN),
    Command("copy", "y", "Copy key", "Copy the selected file's s3:// address.", "copy", Where.PLAN),
    Command("cancel", "x", "Cancel plan…", "Throw the plan away; asks first.", "cancel", Where.PLAN, "Cancel"),
    Command(
        "back",
        "escape",
        "Back",
        "Close filter or detail, or leave; the plan is kept.",
        "back",
        Where.PLAN,
        "Back",
    ),
    Command("detail", "enter,i", "Detail", "Show the selected file in full.", "detail", Where.TRANSFERS, "Detail"),
    *_scrolling(Where.TRANSFERS),
    Command("rejects", "e", "Rejected records", "Show CSV records that are no rows, and why.", "rejects", Where.TRANSFERS),
    Command("retry", "r", "Retry file", "Send the selected or the marked failed files again.", "retry", Where.TRANSFERS, "Retry"),
    Command("retry-all", "R", "Retry all failed", "Send every failed file again.", "retry_all", Where.TRANSFERS, "Retry all"),
    Command("failures", "F", "Failures", "Show what failed, grouped by cause.", "failures", Where.TRANSFERS),
    Command("copy-error", "Y", "Copy error", "Copy why the selected file failed.", "copy_error", Where.TRANSFERS),
    Command("pause", "p", "Pause or resume", "Pause the job, or let it go on.", "pause", Where.TRANSFERS, "Pause"),
    Command("cancel", "x", "Cancel job…", "Break the job off; asks first.", "cancel", Where.TRANSFERS, "Cancel"),
    Command("filter", "slash", "Filter", "Show only paths that contain a text.", "filter", Where.TRANSFERS, "Filter"),
    Command("more", "plus,equals_sign", "More at once", "Raise the number of transfers in flight.", "tune(1)", Where.TRANSFERS),
    Command("fewer", "minus", "Fewer at once", "Lower the number of transfers in flight.", "tune(-1)", Where.TRANSFERS),
    Command("bandwidth", "b", "Bandwidth…", "Limit how many bytes per second are sent.", "limit", Where.TRANSFERS),
    Command("throughput", "t", "Throughput", "Draw how fast the job was, from its beginning.", "course", Where.TRANSFERS),
    Command("follow", "f", "Follow", "Stay with what is in flight until the cursor moves.", "follow", Where.TRANSFERS),
    *_sorting(Where.TRANSFERS),
    *_marking(Where.TRANSFERS),
    Command("copy", "y", "Copy key", "Copy the selected file's s3:// address.", "copy", Where.TRANSFERS),
    Command("back", "escape", "Back", "Close filter or detail, or go back to the jobs.", "back", Where.TRANSFERS, "Jobs"),
    Command("detail", "enter,i", "Detail", "Show the selected record in full.", "detail", Where.REJECTS, "Detail"),
    *_scrolling(Where.REJECTS),
    Command("copy", "y", "Copy record", "Copy the selected record as it stands in its file.", "copy", Where.REJECTS, "Copy"),
    Command("copy-address", "Y", "Copy address", "Copy where rejects.csv is.", "copy_address", Where.REJECTS, "Copy address"),
    Command(
        "all-files", "a", "All files", "Show all files, or the selected record's only.", "all_files", Where.REJECTS, "All files"
    ),
    Command("back", "escape", "Back", "Close the detail, or go back to the job.", "back", Where.REJECTS, "Job"),
    *_plots(),
    Command("back", "escape,t", "Back", "Go back.", "back", Where.COURSE, "Back"),
    Command("open", "enter", "Open job", "Open the first job that the worker works on.", "open", Where.WORKERS, "Open job"),
    Command("copy", "y", "Copy worker", "Copy the selected worker's id.", "copy", Where.WORKERS, "Copy"),
    Command("back", "escape", "Back", "Go back.", "back", Where.WORKERS, "Back"),
    Command("change", "enter", "Change", "Change the setting until s3tui is left.", "change", Where.SETTINGS, "Change"),
    Command("keep", "s", "Keep", "Write what was changed into the configuration.", "keep", Where.SETTINGS, "Keep"),
    Command("copy", "y", "Copy setting", "Copy the setting as the configuration has it.", "copy", Where.SETTINGS, "Copy"),
    Command("filter", "slash", "Filter", "Show only settings that contain a text.", "filter", Where.SETTINGS, "Filter"),
    Command("back", "escape", "Back", "Close the filter, or go back.", "back", Where.SETTINGS, "Back"),
    Command("copy", "y", "Copy id", "Copy the selected line as ui.keys wants it.", "copy", Where.KEYS, "Copy"),
    Command("back", "escape", "Back", "Go back.", "back", Where.KEYS, "Back"),
    Command("filter", "slash", "Filter", "Show only lines that contain a text.", "filter", Where.LOG, "Filter"),
    Command("follow", "f", "Follow", "Stay at the end as it grows.", "follow", Where.LOG, "Follow"),
    Command("detail", "enter,i", "Detail", "Show the selected line in full.", "detail", Where.LOG, "Detail"),
    *_scrolling(Where.LOG),
    Command("copy", "y", "Copy line", "Copy the selected line.", "copy", Where.LOG, "Copy"),
    Command("back", "escape", "Back", "Close filter or detail, or go back.", "back", Where.LOG, "Back"),
    *_failures(),
    *_reasons(),
    *_views(),
    Command("up", "up,k", "Up", "One line up.", "move(-1)", Where.LIST),
    Command("down", "down,j", "Down", "One line down.", "move(1)", Where.LIST),
    Command("page-up", "pageup,ctrl+u", "Page up", "One page up.", "page(-1)", Where.LIST),
    Command("page-down", "pagedown,ctrl+d", "Page down", "One page down.", "page(1)", Where.LIST),
    Command("first", "g,home", "First", "To the first line.", "first", Where.LIST),
    Command("last", "G,end", "Last", "To the last line.", "last", Where.LIST),
    Command("jump", "colon", "Jump…", "To a line by its number, or to a share like 50%.", "jump", Where.LIST),
    Command("help", "question_mark,f1", "Help", "Show every key.", "help", Where.APP, "Help"),
    Command("palette", "ctrl+p", "Command palette", "Find any action by its name.", "command_palette", Where.APP),
    Command("theme", "ctrl+t", "Theme", "Choose another theme.", "change_theme", Where.APP),
    Command("keys", "f2", "Keys", "List the keys of all screens, with their ids.", "keys", Where.APP),
    Command("settings", "f3", "Settings", "Show the settings, and where each came from.", "settings", Where.APP),
    Command("workers", "W", "Workers", "List who works, where, and on what.", "workers", Where.APP),
    Command("log", "L", "Log", "Show the log as it grows.", "log", Where.APP),
    Command("redraw", "ctrl+l", "Redraw", "Paint the whole screen again.", "redraw", Where.APP),
    Command("suspend", "ctrl+z", "Suspend", "Back to the shell; `fg` there goes on.", "suspend", Where.APP),
    Command("detach", "d", "Detach", "Leave at once; running jobs go on in the background.", "detach", Where.APP),
    Command("quit", "q,ctrl+q", "Quit", "Leave; asks what to do about running jobs.", "quit", Where.APP, "Quit"),
)


def commands_of(*places: Where) -> list[Command]:
    """The commands of these places, in the order of the table."""
    return [command for command in COMMANDS if command.where in places]


def bindings(place: Where) -> list[Binding]:
    """Textual bindings of a place; each carries its command's id, so that `ui.keys` can remap it."""
    return [Binding(command.keys, command.action, command.title, id=command.id, show=False) for command in commands_of(place)]


_KEY_WORDS = {
    "question_mark": "?",
    "slash": "/",
    "asterisk": "*",
    "colon": ":",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "full_stop": ".",
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "backspace": "Bksp",
    "tab": "Tab",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
}


def key_words(command: Command, keymap: Mapping[str, str]) -> list[str]:
    """The keys of a command as people write them, the user's own mapping applied."""
    keys = keymap.get(command.id, command.keys).split(",")
    return [key_word(key.strip()) for key in keys if key.strip()]


def first_key(id: str, place: Where, keymap: Mapping[str, str]) -> str:
    """The first key of a command, as people write it; of one that has none, the palette's."""
    command = next(command for command in commands_of(place) if command.id == id)
    return next(iter(key_words(command, keymap)), f"ctrl+p {command.title}")


def key_word(key: str) -> str:
    """A key as people write it: `?`, `Esc`, `ctrl+x`, `F2`."""
    modifier, plus, name = key.rpartition("+")
    if plus and modifier:
        return f"{modifier}+{_KEY_WORDS.get(name, name)}"
    return _KEY_WORDS.get(key, key.upper() if key[:1] == "f" and key[1:].isdigit() else key)


def unknown_ids(keymap: Mapping[str, str]) -> list[str]:
    """The ids of a key mapping that name no command."""
    known = {command.id for command in COMMANDS}
    return sorted(name for name in keymap if name not in known)
