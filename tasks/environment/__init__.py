"""The surroundings of a process: settings, configs, log, disk, and addresses of pages."""
