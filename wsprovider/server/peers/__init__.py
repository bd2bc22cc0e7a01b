"""Connections under gunicorn: a worker that no slow or broken peer can stop (docs/gunicorn.md)."""
