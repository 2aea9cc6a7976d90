// Loading and comparing.
#include "tests/builder/texts.h"

namespace gaur::test {

namespace {

std::string readFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

ir::Bundle* load(ir::Program& program, const Text& text) {
  Diagnostics diagnostics;
  SourceText source{text.path.string(), text.text};
  ir::Builder builder(program, text.path.filename().string());
  ir::parse(source, builder, diagnostics);
  if (diagnostics.failed()) return nullptr;
  std::lock_guard lock(program.loadMutex());
  auto bundle = builder.finish(diagnostics);
  return bundle ? program.publish(std::move(bundle)) : nullptr;
}

std::map<std::string, std::string> namesOf(const ir::Bundle& bundle) {
  std::map<std::string, std::string> names;
  std::istringstream lines(ir::localNames(bundle));
  for (std::string line; std::getline(lines, line);) {
    std::size_t at = line.find(" = ");
    names[line.substr(0, at)] = line.substr(at + 3);
  }
  return names;
}

/// Names are as they were, but for what two locals share, or a version with an older one of its function: IDs
/// go with names, so there a client can name only one.
std::string lostName(const ir::Bundle& original, const ir::Bundle& built) {
  for (const ir::FunctionVersion* version : original.versions)
    if (version->previous) return {};
  auto before = namesOf(original), after = namesOf(built);
  std::map<std::string, unsigned> uses;
  for (const auto& [place, name] : before) ++uses[name];
  for (const auto& [place, name] : before)
    if (uses[name] == 1 && after[place] != name) return place + " is " + after[place] + ", not " + name;
  return {};
}

}  // namespace

std::vector<std::unique_ptr<Text>> loadedTexts() {
  std::map<fs::path, std::unique_ptr<Text>> byPath;
  for (const char* folder : {"examples", "benchmarks", "tests/conformance"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(GAUR_SOURCE_DIR) / folder)) {
      if (entry.path().extension() != ".uir") continue;
      auto text = std::make_unique<Text>();
      text->path = entry.path();
      text->text = readFile(entry.path());
      byPath.emplace(entry.path(), std::move(text));
    }
  }
  for (auto& [path, text] : byPath) {
    constexpr std::string_view kDirective = "// part: of ";
    std::size_t at = text->text.find(kDirective);
    if (at != std::string::npos) {
      std::size_t begin = at + kDirective.size();
      fs::path first =
          path.parent_path() / text->text.substr(begin, text->text.find_first_of(" \n", begin) - begin);
      if (auto found = byPath.find(first); found != byPath.end()) text->before = found->second.get();
    }
    text->program = std::make_unique<ir::Program>();
    if (text->before && !load(*text->program, *text->before)) continue;
    text->bundle = load(*text->program, *text);
  }
  std::vector<std::unique_ptr<Text>> good;
  for (auto& [path, text] : byPath)
    if (text->bundle) good.push_back(std::move(text));
  return good;
}

std::string difference(const ir::Bundle& original, const ir::Bundle& built) {
  std::string wanted = ir::canonicalText(original), found = ir::canonicalText(built);
  if (wanted != found) return "it builds another program:\n" + found + "and not:\n" + wanted;
  return lostName(original, built);
}

}  // namespace gaur::test
