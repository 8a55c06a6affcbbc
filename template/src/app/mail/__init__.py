"""Messages to people: by SMTP, or into the log where there is no mail server."""
