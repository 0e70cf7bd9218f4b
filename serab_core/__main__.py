"""`python -m serab_core` is the command `serab`.

Python puts the working folder first on the path for imports here, as it does not for the script `serab`. It is taken off
before anything else is imported.
"""

from serab_core.lifecycle import leave_working_folder

if __name__ == "__main__":
    leave_working_folder()

    from serab_core.cli import main

    main()
