"""An organisation's template: a release of ours, and the organisation's own files on top."""
