"""Every row of the catalogue, and what the judge insists on, once more: through HTTP to gunicorn with two workers."""

from collections.abc import Callable, Iterator

import pytest

from tests.attacks import rows
from tests.attacks import test_judges_rules as judge
from tests.attacks.rows import check
from tests.attacks.test_catalogue import ROWS
from tests.live.conftest import Verdicts
from tests.live.housed import House
from wsprovider.words.reasons import Reason

BY_HTTP = {"A14 empty": Reason.CONTENT_LENGTH}
"""What HTTP itself refuses before the message is looked at."""

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.mark.parametrize("number", range(len(ROWS)), ids=lambda number: str(ROWS[number]))
def test_is_refused(number: int, house: House, verdicts: Verdicts, monkeypatch: pytest.MonkeyPatch) -> None:
    """As by functions: its Reason, the uniform fault, no change of state, no call; then the genuine message."""
    row = ROWS[number]
    monkeypatch.setattr(rows, "World", house.shared_world)
    seen = check(row, *((BY_HTTP[row.id],) if row.id in BY_HTTP else ()))
    verdicts.record(number, "HTTP", row.reasons, seen.name)


STORIES: list[tuple[Callable[..., None], tuple[object, ...]]] = [
    *((judge.test_an_eavesdropped_token_with_its_own_key_is_refused, (digest,)) for digest in (False, True)),
    *((judge.test_a_withheld_message_cannot_be_given_another_body, (number,)) for number in "47"),
    (judge.test_two_protection_keys_are_refused_even_when_both_are_the_senders, ()),
    *((judge.test_our_reply_is_no_request, (number,)) for number in "3468"),
    *((judge.test_our_own_certificate_is_no_credential, (number,)) for number in "25"),
    *((judge.test_a_second_copy_is_a_replay, (number,)) for number in ("1", "2", "5", "8", "11", "14")),
    (judge.test_a_copy_with_the_same_nonce_is_a_replay, ()),
    (judge.test_a_signature_transplanted_with_its_parts_is_a_replay_of_parts, ()),
    (judge.test_oversized_keys_cost_nothing, ()),
    (judge.test_two_keys_of_ours_under_one_name_are_refused, ()),
]


@pytest.mark.parametrize(
    ("story", "arguments"),
    STORIES,
    ids=lambda value: getattr(value, "__name__", None) or "-".join(map(str, value)),
)
def test_what_the_judge_insists_on(
    story: Callable[..., None], arguments: tuple[object, ...], house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "World", house.world)
    story(*arguments)
