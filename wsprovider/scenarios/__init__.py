"""The catalogue of scenarios: policies under names; only configuration and the command line ask for them."""
