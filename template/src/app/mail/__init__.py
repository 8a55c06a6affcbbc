"""E-mail: by SMTP, or into the log where no server is configured."""
