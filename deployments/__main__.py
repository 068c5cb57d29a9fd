"""``python -m deployments``: the command line, for a process that starts another one of the same installation."""

from deployments.command_line import main

if __name__ == "__main__":
    main()
