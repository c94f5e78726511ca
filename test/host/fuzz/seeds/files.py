"""Where seeds and dictionaries go."""

import os

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def write(target, **seeds):
    """One file for each seed, named after it."""
    folder = f"{HOME}/corpus/{target}"
    os.makedirs(folder, exist_ok=True)
    for name, content in seeds.items():
        with open(f"{folder}/{name.replace('_', '-')}", "wb") as file:
            file.write(content)


def write_dictionary(path, **words):
    """Byte strings that a fuzzer inserts whole, in libFuzzer's format."""
    with open(f"{HOME}/{path}.dict", "w", encoding="utf-8") as file:
        file.write("# Written by make-corpus.\n")
        for word, content in words.items():
            file.write(f'{word}="' + "".join(f"\\x{byte:02x}" for byte in content) + '"\n')


def hexadecimal(text):
    return bytes.fromhex(text)
