"""The one exception of the package that is meant for people."""

__all__ = ["ClipassoError"]


class ClipassoError(Exception):
    """Something a user can mend: a bad file, a bad value, weights that cannot be had.

    The message is one line that names the file or the option and says what to do. The command line
    prints it without a traceback and exits with status 2.
    """
