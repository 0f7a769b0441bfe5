"""Words that are continued as they are."""

from __future__ import annotations

import omma
from omma.chat import message


def test_raw_words_have_no_form_around_them() -> None:
    processor = omma.load("omma-nano").processor
    sample = processor.sample([message("raw", "Once upon <|im_start|> a time")])
    assert sample.ids_T.tolist() == processor.tokenizer.text("Once upon <|im_start|> a time")
    assert processor.tokenizer.mark("<|im_start|>") not in sample.ids_T
