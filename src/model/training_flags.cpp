#include "model/training_flags.h"

#include <cstdint>
#include <cstring>
#include <map>
#include <utility>

#include "neurontune/base/error.h"

// Opcodes are those of Python's pickletools; those that torch.jit.save writes.
namespace neurontune {
namespace {

/// What a pickle's reader would have on its stack, as far as it matters here.
struct Item {
  enum class Kind { other, mark, text, yes, type, object, dict };
  Kind kind = Kind::other;
  std::string text = {};  ///< of a text; the qualified name of a type, and of an object's type
  std::size_t place = 0;  ///< of a yes
  std::vector<std::size_t> training = {};  ///< of a dict: where it says that `training` is true
};

using Kind = Item::Kind;

class PickleWalk {
 public:
  PickleWalk(const std::string& pickle, const std::set<std::string>& module_classes)
      : pickle_(pickle), module_classes_(module_classes) {}

  std::vector<std::size_t> flags() {
    while (place_ < pickle_.size()) {
      const char opcode = pickle_[place_++];
      if (opcode == '.') return flags_;
      step(opcode);
    }
    malformed();
  }

 private:
  [[noreturn]] static void malformed() { throw Error("is no pickle of torch.jit.save"); }

  void step(char opcode) {
    switch (opcode) {
      case '\x80':
        return skip(1);  // PROTO
      case '(':
        return push({Kind::mark});  // MARK
      case '}':
        return push({Kind::dict});  // EMPTY_DICT
      case ')':
      case ']':
      case 'N':
      case kPickledFalse:  // EMPTY_TUPLE, EMPTY_LIST, NONE, NEWFALSE
        return push({});
      case kPickledTrue:
        return push({Kind::yes, "", place_ - 1});
      case 'K':
        return push_number(1);  // BININT1
      case 'M':
        return push_number(2);  // BININT2
      case 'J':
        return push_number(4);  // BININT
      case 'G':
        return push_number(8);  // BINFLOAT
      case '\x8a':
        return push_number(size_of_bytes(1));  // LONG1
      case 'X':
        return push({Kind::text, bytes(size_of_bytes(4))});  // BINUNICODE
      case 'T':
      case 'B':
        return push_number(size_of_bytes(4));  // BINSTRING, BINBYTES
      case 'c':
        return push({Kind::type, type_name()});  // GLOBAL
      case 'q':
        memo_[size_of_bytes(1)] = top();
        return;  // BINPUT
      case 'r':
        memo_[size_of_bytes(4)] = top();
        return;  // LONG_BINPUT
      case 'h':
        return push(memo(size_of_bytes(1)));  // BINGET
      case 'j':
        return push(memo(size_of_bytes(4)));  // LONG_BINGET
      case 't':
        pop_to_mark();
        return push({});  // TUPLE
      case '\x85':
      case '\x86':
      case '\x87':  // TUPLE1, TUPLE2, TUPLE3
        for (int i = 0; i <= opcode - '\x85'; ++i) pop();
        return push({});
      case 'a':
        pop();
        return;  // APPEND
      case 'e':
        pop_to_mark();
        return;  // APPENDS
      case 's':
        return set_items(pop_some(2));  // SETITEM
      case 'u':
        return set_items(pop_to_mark());  // SETITEMS
      case 'Q':
        pop();
        return push({});  // BINPERSID
      case 'R':
        pop();
        pop();
        return push({});  // REDUCE
      case '\x81':
        return make_object();  // NEWOBJ
      case 'b':
        return build();  // BUILD
      default:
        malformed();
    }
  }

  void skip(std::size_t count) {
    if (count > pickle_.size() - place_) malformed();
    place_ += count;
  }
  std::string bytes(std::size_t count) {
    skip(count);
    return pickle_.substr(place_ - count, count);
  }
  /// A little-endian number of so many bytes.
  std::size_t size_of_bytes(std::size_t count) {
    std::uint32_t number = 0;
    std::memcpy(&number, bytes(count).data(), count);
    return number;
  }
  std::string type_name() {
    const auto module_end = pickle_.find('\n', place_);
    const auto name_end =
        module_end == std::string::npos ? module_end : pickle_.find('\n', module_end + 1);
    if (name_end == std::string::npos) malformed();
    auto name = pickle_.substr(place_, name_end - place_);
    name[module_end - place_] = '.';
    place_ = name_end + 1;
    return name;
  }

  void push(Item item) { stack_.push_back(std::move(item)); }
  void push_number(std::size_t bytes_of_it) {
    skip(bytes_of_it);
    push({});
  }
  Item& top() {
    if (stack_.empty()) malformed();
    return stack_.back();
  }
  Item pop() {
    Item item = std::move(top());
    stack_.pop_back();
    return item;
  }
  std::vector<Item> pop_some(std::size_t count) {
    std::vector<Item> items(count);
    for (; count > 0; --count) items[count - 1] = pop();
    return items;
  }
  std::vector<Item> pop_to_mark() {
    std::size_t count = 0;
    while (count < stack_.size() && stack_[stack_.size() - 1 - count].kind != Kind::mark) ++count;
    auto items = pop_some(count);
    pop();
    return items;
  }
  const Item& memo(std::size_t key) const {
    const auto found = memo_.find(key);
    if (found == memo_.end()) malformed();
    return found->second;
  }

  void set_items(const std::vector<Item>& keys_and_values) {
    for (std::size_t i = 0; i + 1 < keys_and_values.size(); i += 2) {
      const auto &key = keys_and_values[i], &value = keys_and_values[i + 1];
      if (key.kind == Kind::text && key.text == "training" && value.kind == Kind::yes)
        top().training.push_back(value.place);
    }
  }
  void make_object() {
    pop();  // the constructor's arguments
    push({Kind::object, pop().text});
  }
  void build() {
    const auto state = pop();
    if (top().kind == Kind::object && module_classes_.contains(top().text))
      flags_.insert(flags_.end(), state.training.begin(), state.training.end());
  }

  const std::string& pickle_;
  const std::set<std::string>& module_classes_;
  std::size_t place_ = 0;
  std::vector<Item> stack_;
  std::map<std::size_t, Item> memo_;
  std::vector<std::size_t> flags_;
};

}  // namespace

std::vector<std::size_t> training_flags(const std::string& pickle,
                                        const std::set<std::string>& module_classes) {
  return PickleWalk(pickle, module_classes).flags();
}

}  // namespace neurontune
