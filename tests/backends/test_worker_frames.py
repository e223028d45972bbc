"""Whatever comes out of a process that holds a model is a frame or the end of it."""

import socket
import struct
import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from dsreview.backends.worker_frames import (
    MAX_FRAME_BYTES,
    Answered,
    Channel,
    Done,
    Failed,
    Reply,
    Wrote,
    framed,
)
from dsreview.prompt import Alternative, Answer, StopReason, TokenChoice

TEXTS = st.text(st.characters(codec="utf-8"))
LOGPROBS = st.floats(-100, 0)
ALTERNATIVES = st.lists(st.builds(Alternative, TEXTS, LOGPROBS), max_size=2).map(tuple)
ANSWERS = st.builds(
    Answer,
    st.text(st.characters(codec="utf-8")),
    st.integers(0, 2**40),
    st.integers(0, 2**40),
    st.sampled_from(StopReason),
    tokens=st.lists(st.builds(TokenChoice, TEXTS, LOGPROBS, ALTERNATIVES), max_size=3).map(tuple),
)
FRAMES = (
    st.builds(Answered, st.integers(0, 9), st.integers(0, 9), ANSWERS)
    | st.builds(Wrote, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), TEXTS)
    | st.builds(Done, st.integers(0, 9), st.booleans())
    | st.builds(Failed, st.integers(0, 9), TEXTS, st.booleans(), st.booleans())
)


def received(content):
    """What is read of a stream of these bytes, up to its end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=send, args=(theirs, content))
        sender.start()
        channel = Channel(ours, Reply)
        frames = []
        while (frame := channel.receive()) is not None:
            frames.append(frame)
        ours.shutdown(socket.SHUT_RDWR)
        sender.join()
    return frames


def send(connection, content):
    try:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        return


@settings(deadline=None, max_examples=100)
@given(frames=st.lists(FRAMES, max_size=5), cut=st.integers(0, 40))
def test_frames_arrive_whole_or_not_at_all(frames, cut):
    content = b"".join(framed(frame) for frame in frames)
    assert received(content) == frames
    arrived = received(content[: len(content) - cut])
    assert arrived == frames[: len(arrived)]


@settings(deadline=None, max_examples=200)
@given(noise=st.binary(max_size=200))
def test_noise_is_the_end(noise):
    assert all(isinstance(frame, Reply) for frame in received(noise))
    body = struct.pack(">I", len(noise)) + noise
    assert all(isinstance(frame, Reply) for frame in received(body))


def test_a_frame_without_end_is_not_waited_for():
    assert received(struct.pack(">I", MAX_FRAME_BYTES + 1) + b"x" * 1_000) == []
