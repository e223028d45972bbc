"""An answer that nobody wants any more ends between two tokens; the others are the same."""

import pytest

from dsengine import StopReason


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_an_unwanted_answer_ends_and_the_others_do_not_change(
    trained_llama, prompts, answers, batch_size
):
    engine = trained_llama.engine(batch_size=batch_size)
    unwanted = 2
    asked = []

    def is_wanted(number):
        if number != unwanted:
            return True
        asked.append(engine.stats.decode_steps)
        return len(asked) < 20

    told = {}
    completions = engine.generate(
        prompts, max_new_tokens=200, on_completion=told.__setitem__, is_wanted=is_wanted
    )
    assert told == dict(enumerate(completions))
    left = completions[unwanted]
    assert left.stop is StopReason.DEADLINE
    assert answers[unwanted].startswith(left.text)
    assert left.text != answers[unwanted]
    kept = [number for number in range(len(prompts)) if number != unwanted]
    assert [completions[number].text for number in kept] == [answers[number] for number in kept]


def test_what_nobody_wants_costs_no_step(trained_llama, prompts):
    engine = trained_llama.engine()
    completions = engine.generate(prompts, max_new_tokens=200, is_wanted=lambda _: False)
    assert {completion.stop for completion in completions} == {StopReason.DEADLINE}
    assert engine.stats.decode_steps == 0


@pytest.mark.parametrize("batch_size", [1, 8])
def test_answers_can_be_read_while_they_are_written(trained_llama, prompts, answers, batch_size):
    engine = trained_llama.engine(batch_size=batch_size)
    written = dict.fromkeys(range(len(prompts)), "")
    pieces = []

    def write(number, offset, text):
        assert offset == len(written[number])
        written[number] += text
        pieces.append(number)

    completions = engine.generate(prompts, max_new_tokens=200, on_text=write)
    assert [completion.text for completion in completions] == answers
    assert list(written.values()) == answers
    assert len(pieces) > 5 * len(prompts)
