"""The form of a conversation as a template, for programs that run those: written to folders, never read."""

from __future__ import annotations

import re

from omma.prep.template import Form, declaration

_SYSTEM = (
    "{%- if not tools and (not messages or messages[0].role != 'system') -%}"
    "{{- '<|im_start|>system' + nl + 'SYSTEM<|im_end|>' + nl -}}"
    "{%- endif -%}"
)
# Tools are declared at the end of the system message.
_DECLARED = (
    "{%- if tools -%}"
    "{{- '<|im_start|>system' + nl -}}"
    "{%- if messages and messages[0].role == 'system' -%}{{- words(messages[0].content) + nl + nl -}}"
    "OTHERWISE{%- endif -%}"
    "{{- BEFORE -}}{%- for tool in tools -%}{{- nl + (tool | tojson) -}}{%- endfor -%}"
    "{{- AFTER + '<|im_end|>' + nl -}}"
    "{%- endif -%}"
)
_OTHERWISE = "{%- else -%}{{- 'SYSTEM' + nl + nl -}}"
_RESULT = (
    "{%- if message.role == 'tool' -%}"
    "{%- if loop.first or messages[loop.index0 - 1].role != 'tool' -%}{{- '<|im_start|>user' -}}{%- endif -%}"
    "{{- nl + '<tool_response>' + nl + text + nl + '</tool_response>' -}}"
    "{%- if loop.last or messages[loop.index0 + 1].role != 'tool' -%}{{- '<|im_end|>' + nl -}}{%- endif -%}"
    "{%- elif not (tools and loop.first and message.role == 'system') -%}"
)
_CALLS = (
    "{%- for called in message.tool_calls or [] -%}"
    "{%- set call = called.function if called.function else called -%}"
    "{{- (nl if said or not loop.first else '') + '<tool_call>' + nl -}}"
    "{{- '{\"name\": ' + (call.name | tojson) + ', \"arguments\": ' -}}"
    "{{- call.arguments if call.arguments is string else (call.arguments | tojson) -}}"
    "{{- '}' + nl + '</tool_call>' -}}"
    "{%- endfor -%}"
)
# The place of the last question, after which thoughts are kept.
_ASKED = (
    "{%- set ns = namespace(asked=-1) -%}"
    "{%- for message in messages -%}"
    "{%- set text = words(message.content) -%}"
    "{%- if message.role == 'user' and not (text.startswith('<tool_response>') "
    "and text.endswith('</tool_response>')) -%}{%- set ns.asked = loop.index0 -%}{%- endif -%}"
    "{%- endfor -%}"
)
_CONTENT = (
    "{%- macro words(content) -%}"
    "{%- if content is string -%}{{- content -}}{%- elif content -%}"
    "{%- for part in content -%}"
    "{%- if part.type in ('image', 'image_url') or 'image' in part or 'image_url' in part -%}"
    "{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}"
    "{%- elif part.type in ('video', 'video_url') or 'video' in part or 'video_url' in part -%}"
    "{{- '<|vision_start|><|video_pad|><|vision_end|>' -}}"
    "{%- else -%}{{- part.text -}}{%- endif -%}"
    "{%- endfor -%}"
    "{%- endif -%}"
    "{%- endmacro -%}"
)
_THOUGHTS = (
    "{%- set thought = '' -%}"
    "{%- if message.role == 'assistant' and '</think>' in text -%}"
    "{%- set thought = text.split('</think>')[:-1] | join('</think>') -%}"
    "{%- set text = text.split('</think>')[-1].lstrip(nl) -%}"
    "{%- if thought.startswith('<think>') -%}{%- set thought = thought[7:] -%}{%- endif -%}"
    "{%- endif -%}"
    "{%- set said = text -%}"
    "{%- if message.role == 'assistant' and loop.index0 > ns.asked and (loop.last or thought) -%}"
    "{%- set text = '<think>' + nl + thought.strip(nl) + nl + '</think>' + nl + nl + text.lstrip(nl) -%}"
    "{%- endif -%}"
)
_BEGINNING = re.compile(r"add_generation_prompt.*<think>", re.DOTALL)


def public_template(form: Form) -> str:
    """A chat template that writes what `template.pieces` does."""
    return "".join(
        (
            "{%- set nl = '\\n' -%}",
            _CONTENT,
            _ASKED if form.thinks else "",
            "" if form.system is None else _SYSTEM.replace("SYSTEM", form.system),
            _declared(form),
            "{%- for message in messages -%}",
            "{%- set text = words(message.content) -%}",
            _THOUGHTS if form.thinks else "{%- set said = text -%}",
            _RESULT,
            "{{- '<|im_start|>' + message.role + nl + text -}}",
            _CALLS,
            "{{- '<|im_end|>' + nl -}}",
            "{%- endif -%}",
            "{%- endfor -%}",
            "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant' + nl -}}",
            "{{- '<think>' + nl -}}" if form.thinks else "",
            "{%- endif -%}",
        )
    )


def _declared(form: Form) -> str:
    """The tools, in the words of `template.declaration`."""
    before, after = (text.replace("\n", "\\n").replace("'", "\\'") for text in declaration())
    otherwise = "" if form.system is None else _OTHERWISE.replace("SYSTEM", form.system)
    told = _DECLARED.replace("OTHERWISE", otherwise)
    return told.replace("BEFORE", f"'{before}'").replace("AFTER", f"'{after}'")


def asks_for_thoughts(template: str) -> bool:
    """Whether a folder's template begins an answer with thoughts, as those of Thinking checkpoints do."""
    return _BEGINNING.search(template[template.rfind("add_generation_prompt") :]) is not None
