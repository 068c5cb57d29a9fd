"""Handle flow runs: suspend them for people, share work out in parts, and start dead or failed ones again."""
