"""The settings of mail servers as people write them: main.cf and master.cf, opendkim.conf, and their words."""

from grader.formats.settings.files import MainSetting, Option, Word, read_main, read_master, read_opendkim
from grader.formats.settings.words import meant, opendkim_parameters, postfix_parameters, restrictions

__all__ = [
    "MainSetting",
    "Option",
    "Word",
    "meant",
    "opendkim_parameters",
    "postfix_parameters",
    "read_main",
    "read_master",
    "read_opendkim",
    "restrictions",
]
