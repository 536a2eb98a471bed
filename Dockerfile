# clipasso on a CPU:
#
#   docker build -t clipasso .
#   docker run --rm -v "$PWD:/work" --user "$(id -u):$(id -g)" clipasso sketch cat.jpg
#
# On x86-64 the package index's torch is built for CUDA. It runs on a CPU all the same, but is some 5 GB that nothing here uses:
# --build-arg TORCH_INDEX=ADDRESS takes torch and torchvision from an index of CPU wheels, as PyTorch's site names one.

FROM python:3.12-slim AS build
ARG TORCH_INDEX=""
RUN python -m venv /opt/clipasso
ENV PATH=/opt/clipasso/bin:$PATH
# The largest part by itself, so that a change of the program does not fetch it again.
# Which versions are good enough pyproject.toml says.
# hadolint ignore=DL3013
RUN pip install --no-cache-dir ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "torch>=2.6" "torchvision>=0.21"
WORKDIR /source
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src src
RUN pip install --no-cache-dir .

FROM python:3.12-slim
COPY --from=build /opt/clipasso /opt/clipasso
# Kernels are compiled for the processor that they run on, and kept with fetched weights in the home: a volume there keeps them.
RUN useradd --create-home --uid 1000 clipasso && mkdir /work && chown clipasso /work
ENV PATH=/opt/clipasso/bin:$PATH
USER 1000
WORKDIR /work
ENTRYPOINT ["clipasso"]
CMD ["--help"]
