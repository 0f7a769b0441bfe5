"""Turns a folder into GGUF by llama.cpp's own program: ``python -m bench.gguf LLAMA FOLDER OUT``."""

from __future__ import annotations

import runpy
import sys
from importlib import import_module
from pathlib import Path
from typing import Any


def main() -> None:
    """Run the converter in bf16.

    It knows vocabularies by a digest, and a vocabulary of our own by none: ours splits texts as Qwen2's does.
    Before that it looks for a sentencepiece model, for which it wants a package whether there is one or not.
    """
    llama, folder, out = map(Path, sys.argv[1:4])
    sys.path[:0] = [str(llama), str(llama / "gguf-py")]
    vocabularies: Any = import_module("conversion.base").TextModel
    vocabularies.get_vocab_base_pre = lambda self, tokenizer: "qwen2"
    vocabularies._set_vocab_sentencepiece = _no_sentencepiece
    sys.argv = ["convert_hf_to_gguf.py", str(folder), "--outfile", str(out), "--outtype", "bf16"]
    runpy.run_path(str(llama / "convert_hf_to_gguf.py"), run_name="__main__")


def _no_sentencepiece(self: Any) -> None:
    raise FileNotFoundError("no sentencepiece model")


if __name__ == "__main__":
    main()
