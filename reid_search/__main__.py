"""`python -m reid_search`."""

from reid_search.cli import main

if __name__ == "__main__":
    main()
