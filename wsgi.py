"""What gunicorn loads: ``gunicorn -c python:wsprovider.cli.gunicorn_settings wsgi:application``."""

from wsprovider import create_app

application = create_app("services")
