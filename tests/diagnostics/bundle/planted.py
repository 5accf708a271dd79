"""Secrets of every kind, in every form, planted wherever a bundle looks."""

import base64
import json
from urllib.parse import quote

#: By kind: what this project knows by value.
KNOWN = {
    "random": "Zk3vQ9xT7mLp2RwYbN8sHd4GfJ6cXa1U",
    "odd": 'p@ss/w"ö\\rd+=&% und mehr',
    "short": "hunter2x",
    "address": "https://hooks.chat.example/services/T0AB/B1CD/e2f3g4h5i6j7",
}
#: By kind: what nobody knows, but its name or its shape tells; each holds this mark.
MARK = "n0tKn0wn"
UNKNOWN = {
    "named": f"smtp_password={MARK}abc",
    "named in JSON": json.dumps({"api_key": f'{MARK} "quoted" {MARK}', "other": 1}),
    "named in JSON in JSON": json.dumps(json.dumps({"client_secret": f"{MARK}xyz"})),
    "header": f"Authorization: Bearer {MARK}.{MARK}",
    "url": f"redis://user:{MARK}@redis:6379",
    "jwt": f"eyJhbGciOiJIUzI1NiJ9.{MARK}{MARK}.{MARK}",
    "key": f"-----BEGIN EC PRIVATE KEY-----\n{MARK}\n-----END EC PRIVATE KEY-----",
    "hub": f"ghp_{MARK}{MARK}{MARK}{MARK}",
}
#: Tokens of well-known services, by their shape; put together here, so that no scanner takes this file for a leak.
TOKENS = ("AKIA" + "Q7ZX" * 4, "ghp_" + "aB3d" * 9, "xoxb-" + "1234567890-" * 2 + "aB3d" * 6, "sk_live_" + "aB3d" * 6,
          "npm_" + "aB3d" * 9)  # fmt: skip


def told(value: str) -> list[str]:
    """A value as programs repeat it."""
    raw = value.encode()
    return [
        value,
        json.dumps({"x": value}),
        json.dumps(json.dumps({"x": value})),
        quote(value, safe=""),
        base64.b64encode(raw).decode(),
        base64.b64encode(b"user:" + raw).decode(),
        base64.urlsafe_b64encode(b"a:" + raw + b"zz").decode(),
        raw.hex(),
        repr(value),
    ]


def lines() -> list[str]:
    return [f"said {form} loudly" for value in KNOWN.values() for form in told(value)] + [*UNKNOWN.values(), *TOKENS]


def leaked(text: str) -> list[str]:
    """What of it is in a text."""
    found = [form for value in KNOWN.values() for form in told(value)[3:] if _core(form) in text]
    return found + [value for value in (*KNOWN.values(), *TOKENS, MARK) if value in text]


def _core(form: str) -> str:
    """Without the edges, which in base64 belong to what stands around."""
    return form.strip("'\"=")[4:-4] if len(form) > 24 else form
