"""json, both ways, with what it refuses."""

import json

document = {"name": "tax", "n": [1, 2.5, -3e-7, True, None], "text": 'Zoë \u2603 "q"\n', "deep": {"b": {}, "a": []}}
text = json.dumps(document, sort_keys=True)
print(text)
print(json.loads(text) == document, json.dumps(document, sort_keys=True, indent=1, ensure_ascii=False))
for bad in ("{", "[1,]", '{"a" 1}', "nul"):
    try:
        json.loads(bad)
    except json.JSONDecodeError as error:
        print(bad, type(error).__name__)
print(json.loads("[1e3, 12345678901234567890]"), json.dumps({1: 2, None: 3}), json.loads('{"a": 1, "a": 2}'))
print(json.dumps([complex(1, 2)], default=lambda value: [value.real, value.imag]))
