"""What an engine says instead of an image, and what to do then; the words are those of engines 20.10 to 28."""

import pytest

from tradebot_ops.docker.build_log import not_pulled

AT = 'Head "https://reg.corp:5000/v2/team/redis/manifests/8": '
HUB = "https://registry-1.docker.io/v2/"
SAYS = {
    "toomanyrequests: You have reached your pull rate limit.": "raise the limit with an account: docker login",
    "pull access denied for redis, repository does not exist or may require 'docker login'": "spelled, or log in: ",
    "manifest for redis:8-x not found: manifest unknown: manifest unknown": "name and tag are spelled",
    "no matching manifest for linux/arm64/v8 in the manifest list entries": "not made for this processor",
}


@pytest.mark.parametrize(("said", "advice"), SAYS.items())
def test_a_refusal_says_what_helps(said: str, advice: str) -> None:
    error = not_pulled("redis:8", said)
    assert (error.code, int(error.exit_code)) == ("TB-0831", 8)
    assert advice in error.hint


def test_a_login_is_for_the_registry_that_wants_it() -> None:
    assert not_pulled("reg.corp:5000/team/redis:8", f"{AT}no basic auth credentials").hint.endswith(
        "docker login reg.corp:5000"
    )


@pytest.mark.parametrize("said", [f'Get "{HUB}": dial tcp: no such host', f'Get "{HUB}": context deadline exceeded'])
def test_where_nobody_answers_images_come_from_elsewhere(said: str) -> None:
    error = not_pulled("redis:8", said)
    assert error.code == "TB-0826"
    assert "--from debian" in error.hint


def test_a_full_disk_is_nobodys_refusal() -> None:
    assert not_pulled("redis:8", "failed to register layer: no space left on device").code == "TB-0802"
