"""What a browser is shown at an endpoint's address (docs/service-pages.md), made from what the endpoint enforces."""
