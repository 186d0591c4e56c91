"""Whether the environment sends requests for a host through a proxy."""

from __future__ import annotations

from collections.abc import Mapping

from s3tui.storage.site import Site


def proxy_for(site: Site, host: str, environment: Mapping[str, str]) -> str:
    """The proxy that requests to this host of the site have to take, without its user and password; empty: none."""
    if not any(value and name.lower().endswith("_proxy") for name, value in environment.items()):
        return ""
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    proxy = proxies.get("https" if site.tls else "http") or proxies.get("all") or ""
    if not proxy or proxy_bypass(host):
        return ""
    return urlsplit(proxy if "://" in proxy else f"//{proxy}").hostname or "a proxy"
