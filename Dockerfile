# The program in an image, without Python or a compiler:
#   docker build --build-arg PIP_INDEX_URL=URL -t neurontune .
#   docker run --rm --user "$(id -u)" -v "$PWD:/work" neurontune inspect erm.pt
# URL is PyTorch's index of CPU wheels: another index has a LibTorch for CUDA, which takes gigabytes.
#
# The tests lint it, and look whether the files it copies exist (tests/package/test_dockerfile.py).
# They do not build it, since that takes a container engine.

FROM debian:bookworm-slim AS build
WORKDIR /src
COPY scripts/debian-packages.txt scripts/
RUN apt-get update \
    && grep -v '^#' scripts/debian-packages.txt > /tmp/packages \
    && DEBIAN_FRONTEND=noninteractive \
       xargs --arg-file=/tmp/packages apt-get install --yes --no-install-recommends

# LibTorch alone: the wheel's own requirements are those of Python.
ARG PIP_INDEX_URL
COPY requirements.txt ./
RUN python3 -m venv /opt/pip \
    && /opt/pip/bin/pip install --no-cache-dir --no-deps --target /opt/pytorch --requirement requirements.txt \
    && if [ -e /opt/pytorch/torch/lib/libtorch_cuda.so ]; then \
         echo "error: LibTorch is for CUDA; pass PyTorch's index of CPU wheels as PIP_INDEX_URL" >&2; exit 1; \
       fi

COPY . .
RUN cmake --preset release -D Torch_DIR=/opt/pytorch/torch/share/cmake/Torch -D NEURONTUNE_TESTS=OFF \
          -D NEURONTUNE_EXAMPLES=OFF -D NEURONTUNE_BENCHMARKS=OFF \
    && cmake --build --preset release \
    && cpack -G DEB --config build/release/CPackConfig.cmake -B packages

FROM debian:bookworm-slim
# Where the build found LibTorch, the program looks for it.
COPY --from=build /opt/pytorch/torch/lib /opt/pytorch/torch/lib
COPY --from=build /src/packages/*.deb /tmp/
RUN apt-get update \
    && apt-get install --yes --no-install-recommends /tmp/*.deb \
    && rm -rf /var/lib/apt/lists/* /tmp/*.deb \
    && neurontune --version
WORKDIR /work
ENTRYPOINT ["neurontune"]
