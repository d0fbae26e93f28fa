#pragma once

#include <concepts>
#include <cstddef>
#include <equinox/body.hpp>
#include <equinox/request.hpp>
#include <equinox/response.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>
#include <variant>

namespace equinox {

/// The right to answer one request, once, from any thread. Dropped unanswered it answers 500,
/// or what Routes::internal_error makes. May outlive its server.
class Responder {
 public:
  explicit Responder(std::shared_ptr<http::ExchangeLink> link) noexcept : link_{std::move(link)} {}
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&& other) noexcept;
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;
  ~Responder();

  /// @return false when the exchange is known to be gone, or was already answered; true promises no delivery.
  bool send(Response response);
  /// True once the peer is known to have left: further work is pointless.
  [[nodiscard]] bool is_gone() const noexcept;

 private:
  std::shared_ptr<http::ExchangeLink> link_;
};

enum class SinkStatus : std::uint8_t {
  more,  ///< go on
  wait,  ///< the bytes were taken; stop reading from the peer until the Resumer is called, for timeouts.handler at most
};

/// Takes a request body as it arrives. Owning reactor's thread only; an exception becomes 500.
class BodySink {
 public:
  virtual ~BodySink() = default;
  /// Called once before the first receive.
  virtual void attach(Resumer resumer) { static_cast<void>(resumer); }
  virtual SinkStatus receive(std::span<const std::byte> bytes) = 0;
  /// The trailer fields (RFC 9110 §6.5) without those that frame or route. Called once before finish(), and only when
  /// there are any; the views die on return.
  virtual void trailers(std::span<const Field> fields) { static_cast<void>(fields); }
  /// The body is complete.
  virtual Response finish() = 0;
  /// The body will never be complete: the peer left, or a limit or deadline ended it. finish() is not called. Not after
  /// an exception of its own.
  virtual void abort() noexcept {}
};

using SyncHandler = std::function<Response(const Request&)>;
using AsyncHandler = std::function<void(Request, Responder)>;
using StreamHandler = std::function<std::unique_ptr<BodySink>(const Request&)>;

/// One of the three handler shapes, chosen by what the callable accepts and returns.
class Handler {
 public:
  template <typename F>
  requires(!std::same_as<std::remove_cvref_t<F>, Handler>)
      Handler(F&& callable) {  // NOLINT(google-explicit-constructor,bugprone-forwarding-reference-overload)
    if constexpr (std::is_invocable_r_v<Response, F&, const Request&>) {
      shape_.template emplace<SyncHandler>(std::forward<F>(callable));
    } else if constexpr (std::is_invocable_r_v<std::unique_ptr<BodySink>, F&, const Request&>) {
      shape_.template emplace<StreamHandler>(std::forward<F>(callable));
    } else {
      static_assert(
          std::is_invocable_v<F&, Request, Responder>,
          "a handler is Response(const Request&), unique_ptr<BodySink>(const Request&) or void(Request, Responder)");
      shape_.template emplace<AsyncHandler>(std::forward<F>(callable));
    }
  }
  /// False when the callable is an empty std::function.
  [[nodiscard]] explicit operator bool() const noexcept {
    return std::visit([](const auto& function) { return static_cast<bool>(function); }, shape_);
  }
  [[nodiscard]] const SyncHandler* sync() const noexcept { return std::get_if<SyncHandler>(&shape_); }
  [[nodiscard]] const AsyncHandler* async() const noexcept { return std::get_if<AsyncHandler>(&shape_); }
  [[nodiscard]] const StreamHandler* streaming() const noexcept { return std::get_if<StreamHandler>(&shape_); }

 private:
  std::variant<SyncHandler, AsyncHandler, StreamHandler> shape_;
};

/// Runs before a route's handler; a response ends the request there, without any After.
using Before = std::function<std::optional<Response>(const Request&)>;
/// Runs after it and may change the response. Only for what a handler has answered: not for the 500 that the server
/// makes (or Routes::internal_error) when a handler throws, its Responder is dropped or no sink comes, nor for other
/// answers of the server's own.
using After = std::function<void(const Request&, Response&)>;

}  // namespace equinox
