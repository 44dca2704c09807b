from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix


def register(app: Flask, n_proxies: int) -> None:
    """Take from so many reverse proxies who asks, how, and under which prefix.

    Each appends to X-Forwarded-For, -Proto and -Prefix, so the last ``n_proxies`` entries are
    theirs; what stands before them was claimed by whoever asked. The host is not needed: links in
    answers are relative.
    """
    if n_proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # as Flask says to wrap it
            app.wsgi_app, x_for=n_proxies, x_proto=n_proxies, x_host=0, x_prefix=n_proxies
        )
