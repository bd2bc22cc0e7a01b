"""The names that users may rely on, pinned: a change here is a change of the changelog."""

import pytest

import wsprovider

PUBLIC = {
    "BackendError",
    "Caller",
    "ConfigurationError",
    "Principal",
    "Proof",
    "Provider",
    "Reason",
    "Service",
    "WSSecurityError",
    "__version__",
    "create_app",
    "secure",
}


def test_public_names_are_these():
    assert set(wsprovider.__all__) == PUBLIC


def test_each_public_name_is_there_and_documented():
    for name in PUBLIC:
        assert getattr(wsprovider, name).__doc__
        assert name in dir(wsprovider)


def test_other_names_are_not_there():
    with pytest.raises(AttributeError, match="no attribute 'create_apps'"):
        _ = wsprovider.create_apps
    with pytest.raises(ImportError):
        from wsprovider import create_apps  # noqa: F401
