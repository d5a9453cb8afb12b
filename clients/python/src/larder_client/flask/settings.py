"""`LARDER_*` in an application's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

from ..errors import ConfigurationError
from ..options import Options

#: The keys besides those of `Options`.
ALSO = ("SITE", "OUTBOX", "IGNORE_TABLES", "SQLALCHEMY")


@dataclass(frozen=True)
class Settings:
    """What one application says."""

    options: Options
    #: Where visitors reach it through larder, without a slash at the end; for commands.
    site: str | None
    #: Whether purges are written to a table in the transaction that causes them.
    outbox: bool
    #: Tables that no page shows.
    ignore_tables: tuple[str, ...]
    #: Whether SQLAlchemy is listened to.
    sqlalchemy: bool


def read(config: Mapping[str, object]) -> Settings:
    """Reads the keys that begin with `LARDER_`; they may come from `from_prefixed_env`.

    Raises ConfigurationError, which names the key.
    """
    prefix = "LARDER_"
    given = {
        key[len(prefix) :]: value
        for key, value in config.items()
        if isinstance(key, str) and key.startswith(prefix)
    }
    # from_prefixed_env makes a number of a token that looks like one.
    if isinstance(given.get("TOKEN"), int) and not isinstance(given["TOKEN"], bool):
        given["TOKEN"] = str(given["TOKEN"])
    try:
        options = Options.from_mapping(
            {key: value for key, value in given.items() if key not in ALSO}, "app.config", ALSO
        )
    except ConfigurationError as error:
        raise ConfigurationError(_prefixed(str(error), prefix)) from None
    return Settings(
        options,
        _site(given.get("SITE")),
        _flag(given, "OUTBOX", False),
        (*_names(given.get("IGNORE_TABLES", ())), *_tables_of_sessions(config)),
        _flag(given, "SQLALCHEMY", True),
    )


def _prefixed(message: str, prefix: str) -> str:
    """The message with whole keys, as they stand in the configuration."""
    for name in (*(one.name.upper() for one in fields(Options)), *ALSO):
        message = message.replace(f"['{name}']", f"['{prefix}{name}']")
        message = message.replace(f"did you mean '{name}'", f"did you mean '{prefix}{name}'")
    return message.replace("app.config has no key '", f"app.config has no key '{prefix}")


def _site(site: object) -> str | None:
    if site is None or site == "":
        return None
    parts = urlsplit(site) if isinstance(site, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            "app.config['LARDER_SITE'] is how visitors reach the site through larder, as "
            f"'https://www.example.org', not {site!r:.80}"
        )
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _flag(given: Mapping[str, object], name: str, default: bool) -> bool:
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise ConfigurationError(
            f"app.config['LARDER_{name}'] is True or False, not {value!r:.80} "
            f"(in the environment: FLASK_LARDER_{name}=true)"
        )
    return value


def _names(value: object) -> tuple[str, ...]:
    if isinstance(value, str):  # as the environment has it
        return tuple(name.strip() for name in value.split(",") if name.strip())
    if isinstance(value, (list, tuple, set, frozenset)) and all(isinstance(n, str) for n in value):
        return tuple(value)
    raise ConfigurationError(
        f"app.config['LARDER_IGNORE_TABLES'] is a list of names of tables, not {value!r:.80}"
    )


def _tables_of_sessions(config: Mapping[str, object]) -> tuple[str, ...]:
    """Flask-Session's table: it is read by each request and written by many, and on no page."""
    if config.get("SESSION_TYPE") != "sqlalchemy":
        return ()
    return (str(config.get("SESSION_SQLALCHEMY_TABLE") or "sessions"),)
