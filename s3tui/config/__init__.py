"""Settings: every part's own options, nested; arguments > environment > `.env` > YAML > defaults.

settings.py     what can be set, and the defaults
layers.py       arguments, environment and `.env`: which name sets which key
yaml_layer.py   the YAML file, read so that every complaint names its line
load.py         the layers laid over each other, and where each value came from
template.py     `config.yaml.template`, which documents every key
"""

from s3tui.config.load import Loaded, load_settings
from s3tui.config.settings import ApiOptions, LiveOptions, LoggingOptions, Settings, UiOptions, config_directory

__all__ = [
    "ApiOptions",
    "LiveOptions",
    "Loaded",
    "LoggingOptions",
    "Settings",
    "UiOptions",
    "config_directory",
    "load_settings",
]
