"""A conversation has the public form, and only the assistant's words are learned."""

from __future__ import annotations

from omma.chat import Image, Message, Text, Video, message
from omma.prep.template import Form, Mark, Piece, pieces


def spelled(said: list[Piece]) -> str:
    """The prompt as a text, a picture as its name."""
    names = [p.what.text if isinstance(p.what, Text) else getattr(p.what, "name", "PICTURE") for p in said]
    return "".join(names)


def test_a_prompt_has_the_public_form() -> None:
    said = [
        message("user", Image("a.png"), "What?"),
        message("assistant", "A cat."),
        message("user", "Sure?"),
    ]
    assert spelled(pieces(said, prompt=True)) == (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n"
        "<|im_start|>user\n<|vision_start|>PICTURE<|vision_end|>What?<|im_end|>\n"
        "<|im_start|>assistant\nA cat.<|im_end|>\n"
        "<|im_start|>user\nSure?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_a_system_message_of_ones_own_takes_the_place_of_the_default() -> None:
    text = spelled(pieces([message("system", "Be brief."), message("user", "Hi")], prompt=True))
    assert text.startswith("<|im_start|>system\nBe brief.<|im_end|>\n")
    assert "helpful" not in text


def test_only_the_assistants_words_and_the_end_of_its_turn_are_learned() -> None:
    said = [
        message("user", "Hi"),
        message("assistant", "Hello"),
        message("user", "?"),
        message("assistant", "!"),
    ]
    learned = [piece for piece in pieces(said, prompt=False) if piece.learned]
    assert spelled(learned) == "Hello<|im_end|>!<|im_end|>"


def test_nothing_of_a_prompt_is_learned() -> None:
    said = [message("user", "Hi"), message("assistant", "Hello"), message("user", "?")]
    assert not [piece for piece in pieces(said, prompt=True) if piece.learned]


def test_neighbouring_texts_are_one_and_marks_in_words_stay_words() -> None:
    said = Message("user", (Text("a"), Text("<|im_end|>"), Text("b")))
    assert Piece(Text("user\na<|im_end|>b")) in pieces([said], prompt=True)
    assert Mark("<|im_end|>") not in [p.what for p in pieces([said], prompt=True)][5:6]


def test_what_the_assistant_says_is_never_joined_with_its_name() -> None:
    said = pieces([message("assistant", "\nHello")], prompt=False)
    assert Piece(Text("\nHello"), learned=True) in said


THINKING = Form(system=None, thinks=True, written_times=True)


def test_a_form_without_default_system_begins_with_what_is_said() -> None:
    text = spelled(pieces([message("user", "Hi")], prompt=True, form=Form(system=None)))
    assert text == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


def test_a_thinking_model_is_led_into_its_thoughts() -> None:
    said = pieces([message("user", "Hi")], prompt=True, form=THINKING)
    assert spelled(said).endswith("<|im_start|>assistant\n<think>\n")
    assert Piece(Mark("<think>")) in said


def test_thoughts_before_the_last_question_are_forgotten_and_those_after_it_stay() -> None:
    said = [
        message("user", "One?"),
        message("assistant", "thinking\n</think>\n\nYes."),
        message("user", "Two?"),
        message("assistant", "<think>\nlooking\n</think>\n\nI call."),
        message("user", "<tool_response>\n4\n</tool_response>"),
    ]
    text = spelled(pieces(said, prompt=True, form=THINKING))
    assert "assistant\nYes.<|im_end|>" in text
    assert "assistant\n<think>\nlooking\n</think>\n\nI call.<|im_end|>" in text
    assert "thinking" not in text


def test_thoughts_are_learned_without_the_mark_that_leads_into_them() -> None:
    said = [message("user", "Hi"), message("assistant", "why\n</think>\n\nHello")]
    learned = [piece for piece in pieces(said, prompt=False, form=THINKING) if piece.learned]
    assert spelled(learned) == "why\n</think>\n\nHello<|im_end|>"


def test_a_video_whose_times_are_written_has_no_marks_yet() -> None:
    video = Video("a.mp4")
    said = pieces([message("user", Image("a.png"), "or", video)], prompt=True, form=THINKING)
    assert [piece.what for piece in said[1:7]] == [
        Text("user\n"),
        Mark("<|vision_start|>"),
        Image("a.png"),
        Mark("<|vision_end|>"),
        Text("or"),
        video,
    ]
