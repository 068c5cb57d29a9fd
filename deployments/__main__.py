"""``python -m deployments``: the command line, for a process that starts another one of itself."""

from deployments.command_line import main

if __name__ == "__main__":
    main()
