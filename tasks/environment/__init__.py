"""What a process finds around it: settings, configs, its log, its disk, addresses of pages."""
