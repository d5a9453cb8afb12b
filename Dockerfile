# syntax=docker/dockerfile:1

# The version in rust-toolchain.toml (left out of the build: see .dockerignore).
ARG RUST_VERSION=1.95.0

FROM rust:${RUST_VERSION}-slim-bookworm AS build
WORKDIR /build

# Optional features: `docker build --build-arg FEATURES=otel`.
ARG FEATURES=""

# The allocator is built by make.
RUN apt-get update \
    && apt-get install --no-install-recommends --yes make \
    && rm -rf /var/lib/apt/lists/*

# The dependencies, with an empty program on top: built again only when Cargo.toml or
# Cargo.lock change.
COPY .cargo .cargo
COPY Cargo.toml Cargo.lock ./
RUN mkdir src \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs \
    && cargo build --release --locked --bin larder --features "$FEATURES"

# The program itself. Cargo goes by time stamps: `touch` makes it see that the empty one is gone.
COPY . .
RUN touch src/main.rs src/lib.rs \
    && cargo build --release --locked --bin larder --features "$FEATURES"

# glibc, libgcc and certificates; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot

ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="larder" \
      org.opencontainers.image.description="An HTTP caching reverse proxy for Flask, Django and anything else that speaks HTTP" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"

COPY --from=build /build/target/release/larder /usr/local/bin/larder
COPY config/minimal.toml /etc/larder/larder.toml

# Inside a container loopback is nobody: listen where the container's network can reach, and say
# where the application is: `docker run -e LARDER_ORIGIN__TO=app:8000 -p 6081:6081 larder`.
# The admin port stays on loopback until LARDER_ADMIN__LISTEN, LARDER_ADMIN__TOKEN and
# LARDER_ADMIN__NETWORKS open it.
ENV LARDER_LISTEN=0.0.0.0:6081

# 6081 the site, 6082 the admin port.
EXPOSE 6081 6082
USER 65532:65532
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/usr/local/bin/larder", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/larder"]
CMD ["run", "--config", "/etc/larder/larder.toml"]
