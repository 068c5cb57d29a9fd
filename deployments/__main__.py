"""Run the command line as ``python -m deployments``, for a process that starts another one of the same installation."""

from deployments.command_line import main

if __name__ == "__main__":
    main()
