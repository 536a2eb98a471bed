"""The one exception of the package that is meant for people, and how a lack of memory is known."""

__all__ = ["MEMORY_SHORT", "ClipassoError", "ran_out_of_memory"]

MEMORY_SHORT = (
    "there is not enough memory; end other programs, or give fewer photos --together or --workers"
)
"""What people are told where it is not known for what."""

_SIGNS = (  # of allocators that have no exception of their own
    "can't allocate memory", "not enough memory", "out of memory", "insufficient memory",
    "status_alloc_failed",
)  # fmt: skip


class ClipassoError(Exception):
    """Something a user can mend: a bad file, a bad value, weights that cannot be had.

    The message is one line that names the file or the option and says what to do. The command line
    prints it without a traceback and exits with status 2.
    """


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether an exception of any library means that there was not enough memory."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's
        return True
    kind = isinstance(error, RuntimeError) or type(error).__module__.startswith("cv2")
    return kind and any(sign in str(error).lower() for sign in _SIGNS)
