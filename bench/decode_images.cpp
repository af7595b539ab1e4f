// Decodes, resizes and crops every image of a folder, as ImageNet models take them, on one thread;
// prints the seconds of each round. bench/decoding.py holds it against Pillow.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <vector>

#include "neurontune/data/image.h"

int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: decode_images FOLDER ROUNDS\n";
    return 2;
  }
  at::set_num_threads(1);
  std::vector<std::filesystem::path> images;
  for (const auto& entry : std::filesystem::directory_iterator(arguments[1]))
    images.push_back(entry.path());
  std::sort(images.begin(), images.end());
  const neurontune::ImageTransform transform;
  double sum = 0;
  for (int round = 0; round < std::atoi(arguments[2]); ++round) {
    const auto start = std::chrono::steady_clock::now();
    for (const auto& image : images)
      sum += neurontune::load_image(image, transform)[0][0][0].item<double>();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::cout << seconds.count() << "\n";
  }
  std::cerr << "sum " << sum << "\n";
}
