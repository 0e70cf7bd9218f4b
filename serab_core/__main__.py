"""The command `serab`, also as `python -m serab_core`.

`python -m`, and an empty item of PYTHONPATH, put the working folder on the import path. It is removed before anything
else is imported.
"""

from typing import NoReturn

from serab_core.system.lifecycle import leave_working_folder


def main() -> NoReturn:
    """Run `serab`, and end the process with its exit code."""
    leave_working_folder()
    from serab_core.cli import main as run_command

    run_command()


if __name__ == "__main__":
    main()
