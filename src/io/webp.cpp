#include "io/webp.h"

#include <ATen/ATen.h>
#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>

#include "io/image_size.h"
#include "neurontune/base/error.h"

namespace neurontune {
namespace {

/// The first frame on its canvas, as Pillow reads still images too.
/// @return uint8 [H, W, 4]
at::Tensor first_frame(const WebPData& data) {
  const std::unique_ptr<WebPAnimDecoder, void (*)(WebPAnimDecoder*)> decoder(
      WebPAnimDecoderNew(&data, nullptr), WebPAnimDecoderDelete);
  if (decoder == nullptr) throw Error("is a WebP file that is corrupt or ends early");
  WebPAnimInfo info;
  uint8_t* pixels = nullptr;  // the decoder's
  int end_of_frame = 0;
  if (WebPAnimDecoderGetInfo(decoder.get(), &info) == 0 ||
      WebPAnimDecoderGetNext(decoder.get(), &pixels, &end_of_frame) == 0) {
    throw Error("is a WebP file whose pixels are corrupt or end early");
  }
  return at::from_blob(pixels, {info.canvas_height, info.canvas_width, 4}, at::kByte).clone();
}

}  // namespace

at::Tensor decode_webp(std::string_view bytes) {
  const WebPData data{reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
  int width = 0, height = 0;
  if (WebPGetInfo(data.bytes, data.size, &width, &height) == 0) {
    throw Error("is a WebP file whose header is corrupt or ends early");
  }
  check_image_size(height, width);
  return first_frame(data).narrow(2, 0, 3).contiguous();
}

}  // namespace neurontune
