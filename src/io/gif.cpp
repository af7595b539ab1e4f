#include "io/gif.h"

#include <ATen/ATen.h>
#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "io/image_size.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

using Colours = std::array<std::array<uint8_t, 3>, 256>;

/// giflib's decoder, of a file in memory.
class GifDecoder {
 public:
  explicit GifDecoder(std::string_view bytes) : left_(bytes) {
    int error = 0;
    gif_ = DGifOpen(this, &GifDecoder::read, &error);
    if (gif_ == nullptr) fail(error);
  }
  GifDecoder(const GifDecoder&) = delete;
  GifDecoder& operator=(const GifDecoder&) = delete;
  ~GifDecoder() { DGifCloseFile(gif_, nullptr); }

  at::Tensor decode() {
    find_frame();
    const GifImageDesc& frame = gif_->Image;
    const int64_t height = std::max<int64_t>(gif_->SHeight, frame.Top + frame.Height);
    const int64_t width = std::max<int64_t>(gif_->SWidth, frame.Left + frame.Width);
    check_image_size(height, width);
    if (frame.Width < 1 || frame.Height < 1) throw Error("is a GIF whose first frame is empty");
    const Colours colours = palette();
    const at::Tensor canvas = at::full({height, width}, background_, at::kByte);
    for (const int64_t row : row_order(frame)) {
      uint8_t* const out = canvas.data_ptr<uint8_t>() + (frame.Top + row) * width + frame.Left;
      check(DGifGetLine(gif_, out, frame.Width));
    }
    return coloured(canvas, colours);
  }

 private:
  static int read(GifFileType* gif, GifByteType* out, int count) {
    auto* self = static_cast<GifDecoder*>(gif->UserData);
    const size_t given = std::min(static_cast<size_t>(count), self->left_.size());
    std::memcpy(out, self->left_.data(), given);
    self->left_.remove_prefix(given);
    return static_cast<int>(given);
  }

  [[noreturn]] static void fail(int error) {
    const char* const reason = GifErrorString(error);
    throw Error(std::string("is a GIF that is corrupt or ends early") +
                (reason == nullptr ? "" : std::string(": ") + reason));
  }

  void check(int result) const {
    if (result == GIF_ERROR) fail(gif_->Error);
  }

  /// Passes over what stands before the first frame, but for its transparent colour.
  void find_frame() {
    for (GifRecordType record{};;) {
      check(DGifGetRecordType(gif_, &record));
      if (record == IMAGE_DESC_RECORD_TYPE) break;
      if (record == TERMINATE_RECORD_TYPE) throw Error("is a GIF without a frame");
      if (record == EXTENSION_RECORD_TYPE) read_extension();
    }
    check(DGifGetImageDesc(gif_));
  }

  void read_extension() {
    int kind = 0;
    GifByteType* block = nullptr;  // its length, then its bytes
    check(DGifGetExtension(gif_, &kind, &block));
    GraphicsControlBlock control;
    if (kind == GRAPHICS_EXT_FUNC_CODE && block != nullptr &&
        DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK &&
        control.TransparentColor != NO_TRANSPARENT_COLOR) {
      background_ = control.TransparentColor;
    }
    while (block != nullptr) check(DGifGetExtensionNext(gif_, &block));
  }

  /// The frame's palette or else the file's; greys where there is none.
  Colours palette() const {
    const ColorMapObject* const map =
        gif_->Image.ColorMap != nullptr ? gif_->Image.ColorMap : gif_->SColorMap;
    Colours colours{};
    const int count = map == nullptr ? 256 : std::min(map->ColorCount, 256);
    for (int index = 0; index < count; ++index) {
      const auto grey = static_cast<uint8_t>(index);
      const GifColorType colour =
          map == nullptr ? GifColorType{grey, grey, grey} : map->Colors[index];
      colours[static_cast<size_t>(index)] = {colour.Red, colour.Green, colour.Blue};
    }
    return colours;
  }

  /// Which row comes when: interlaced, every eighth, then those halfway between, and so on.
  static std::vector<int64_t> row_order(const GifImageDesc& frame) {
    struct Pass {
      int64_t first, step;
    };
    const std::vector<Pass> passes = frame.Interlace
                                         ? std::vector<Pass>{{0, 8}, {4, 8}, {2, 4}, {1, 2}}
                                         : std::vector<Pass>{{0, 1}};
    std::vector<int64_t> rows;
    for (const auto [first, step] : passes) {
      for (int64_t row = first; row < frame.Height; row += step) rows.push_back(row);
    }
    return rows;
  }

  /// @param canvas uint8 [H, W], of indices
  static at::Tensor coloured(const at::Tensor& canvas, const Colours& colours) {
    at::Tensor pixels = at::empty({canvas.size(0), canvas.size(1), 3}, at::kByte);
    const uint8_t* in = canvas.const_data_ptr<uint8_t>();
    uint8_t* out = pixels.data_ptr<uint8_t>();
    for (int64_t pixel = 0; pixel < canvas.numel(); ++pixel, out += 3) {
      std::memcpy(out, colours[in[pixel]].data(), 3);
    }
    return pixels;
  }

  std::string_view left_;
  GifFileType* gif_ = nullptr;
  int background_ = 0;  ///< an index of the palette
};

}  // namespace

at::Tensor decode_gif(std::string_view bytes) { return GifDecoder(bytes).decode(); }

}  // namespace neurontune
