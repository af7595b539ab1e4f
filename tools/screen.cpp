#include "screen.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "wrapped.h"

namespace neurontune::cli {
namespace {

constexpr std::size_t kMostColumns = 80, kFewestColumns = 20;
constexpr const char *kEmphasis = "\033[1;35m", *kPlain = "\033[0m";

bool is_set(const char* variable) {
  const char* text = std::getenv(variable);
  return text != nullptr && *text != '\0';
}

bool terminal_has_colour() {
  const char* kind = std::getenv("TERM");
  return ::isatty(STDOUT_FILENO) != 0 && kind != nullptr && std::string_view(kind) != "dumb";
}

}  // namespace

std::optional<std::size_t> columns_of(int stream) {
  winsize size{};
  if (const char* text = std::getenv("COLUMNS"); text != nullptr && std::atoi(text) > 0)
    return std::max(kFewestColumns, static_cast<std::size_t>(std::atoi(text)));
  if (::ioctl(stream, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
    return std::max<std::size_t>(kFewestColumns, size.ws_col);
  return std::nullopt;
}

Screen screen(const std::string& color) {
  const bool automatic = color == "auto" && !is_set("NO_COLOR") && terminal_has_colour();
  return {columns_of(STDOUT_FILENO), color == "always" || automatic};
}

std::size_t Screen::text_columns() const {
  return std::min(kMostColumns, columns.value_or(kMostColumns));
}

std::string Screen::fitted(const std::string& sentence, std::size_t indent) const {
  return columns ? wrapped(sentence, text_columns(), indent) : sentence;
}

std::string Screen::emphasised(const std::string& text) const {
  return colour ? kEmphasis + text + kPlain : text;
}

}  // namespace neurontune::cli
