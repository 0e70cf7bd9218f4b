"""`python -m serab` is the command `serab`."""

from serab_core.__main__ import main

if __name__ == "__main__":
    main()
