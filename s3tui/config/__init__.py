"""Settings: every part's own options, nested; arguments > environment > `.env` > YAML > defaults.

settings.py      what can be set, and the defaults
layers.py        arguments and environment: which name sets which key
dotenv_layer.py  the `.env` file } read so that every complaint names its line,
yaml_layer.py    the YAML file   } and imported only when there is one
load.py          the layers laid over each other, and where each value came from
shown.py         settings as people may see them, and the files in use
keeping.py       one setting written into a configuration, whose comments stay
template.py      `config.yaml.template`, which documents every key
"""

from s3tui.config.load import Loaded, load_settings
from s3tui.config.settings import ApiOptions, LoggingOptions, Settings, UiOptions, config_directory

__all__ = [
    "ApiOptions",
    "Loaded",
    "LoggingOptions",
    "Settings",
    "UiOptions",
    "config_directory",
    "load_settings",
]
