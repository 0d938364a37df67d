# The assistant with its bundled model, for the processor alone. See docs/docker.md.
# Built in two stages: a compiler is needed for llama-cpp-python and stays out of the image that runs.

FROM python:3.12-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY requirements requirements
COPY scripts/set_up.py scripts/set_up.py
COPY pyproject.toml README.md LICENSE LICENSE-MODELS ./
COPY vectorstore vectorstore
COPY prompts prompts
COPY assistant assistant
# Not for the processor that it is built on: an image moves between machines. AVX2 is what it needs then.
ENV CMAKE_ARGS="-DGGML_NATIVE=OFF" PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python scripts/set_up.py && rm -rf "$HOME/.cache"

FROM python:3.12-slim-bookworm
# The threads of llama.cpp come from the compiler's run-time library.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin assistant \
    && install --directory --owner=assistant --group=assistant /data
COPY --from=build /app /app
COPY seeds /app/seeds
ENV PATH="/app/.venv/bin:$PATH" \
    ASSISTANT_DATA=/data \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
USER 10001:10001
VOLUME /data
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/healthz', timeout=4)"]
ENTRYPOINT ["assistant"]
# Whoever can reach the page without a login can use it: by default it listens on the loopback address only, which
# `docker run --network host` shares. With users in the volume, `serve --host 0.0.0.0 --auth-file /data/users` serves `-p`.
EXPOSE 7860
CMD ["serve", "--host", "127.0.0.1", "--port", "7860"]
