#include "tools/gaur/case_process.h"

#include <dlfcn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "vm/support/platform.h"

namespace gaur::tool {

namespace {

using bootimage::ImageFormat;

constexpr const char* kCasesLibrary = "libgaur-cli.so";
/// What a user's program with an image is: its main hands the image to gaur_case_main of kCasesLibrary.
constexpr const char* kUsersProgram =
    "int gaur_case_main(int, char**, void*);\n"
    "void* gaur_linked_image(void);\n"
    "int main(int argc, char** argv) { return gaur_case_main(argc, argv, gaur_linked_image()); }\n";
/// Its words. The options are as of gaur_new, the others numbers and paths.
enum Word : int { kCaseWord = 1, kOptionsWord, kFormWord, kPartWord, kFolderWord, kVerdictWord, kWordCount };

template <OptionKind kind>
std::string textOf(const typename OptionValueType<kind>::Type& value) {
  if constexpr (kind == OptionKind::Text) {
    return value;
  } else if constexpr (kind == OptionKind::List) {
    std::string text;
    for (const std::string& element : value) text += (text.empty() ? "" : ":") + element;
    return text;
  } else {
    return std::to_string(value);
  }
}

/// The words, as gaur_new takes them, that make other options the same whatever the environment says.
std::string optionWords(const Options& options) {
  std::string words;
  auto add = [&words](std::string_view name, const std::string& value) {
    words += (words.empty() ? "" : " ") + std::string(name) + "=" + value;
  };
#define GAUR_OPTION(member, Name, Kind, ...) add(Name, textOf<OptionKind::Kind>(options.member));
#include "vm/support/options.def"
  return words;
}

/// What goes wrong, and whether the case came to its end, to a file descriptor.
class Verdict {
 public:
  explicit Verdict(int file) : file_(file) {}

  /// Written at once: what comes next may be a crash.
  void say(std::string_view text) const {
    if (write(file_, text.data(), text.size()) < 0) _exit(kInternal);
  }
  void fail(const std::string& what) const { say(what + "\n"); }
  int file() const { return file_; }

 private:
  int file_;
};

/// The process goes on as this program.
[[noreturn]] void become(const std::vector<std::string>& line) {
  std::vector<char*> words;
  for (const std::string& word : line) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execvp(words.front(), words.data());
  std::fprintf(stderr, "%s: %s\n", words.front(), std::strerror(errno));
  _exit(kResources);
}

/// The status, as of waitpid, of a process that does this.
template <class F>
int statusOf(F does) {
  std::fflush(nullptr);
  pid_t child = fork();
  if (child < 0) throw Exit{kResources, std::strerror(errno)};
  if (child == 0) does();
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

[[noreturn]] void endAs(int status) {
  if (WIFSIGNALED(status)) {
    std::signal(WTERMSIG(status), SIG_DFL);
    std::raise(WTERMSIG(status));
  }
  _exit(WEXITSTATUS(status));
}

std::string folderOfLibrary() { return std::filesystem::path(platform::libraryPath()).parent_path(); }

/// The image of a shared object.
GaurLinkedImage* openImage(const std::string& path) {
  void* object = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!object) throw Exit{kBadImage, dlerror()};
  auto image = reinterpret_cast<GaurLinkedImage* (*)()>(dlsym(object, "gaur_linked_image"));
  return image();
}

/// A case whose steps are divided by images: each part runs in a process of its own, which starts from the
/// image of the one before, in one of the forms.
class ImageChain {
 public:
  ImageChain(const TestCase& test, std::string options, CaseForm form, std::string folder, Verdict verdict)
      : test_(test), words_(std::move(options)), form_(form), folder_(std::move(folder)), verdict_(verdict) {
    std::size_t first = 0;
    for (std::size_t i = 0; i < test.steps.size(); ++i) {
      if (test.steps[i].kind != Step::Kind::Image || !test.steps[i].expected.empty()) continue;
      parts_.push_back({first, i, &test.steps[i]});
      first = i + 1;
    }
    // Without such a step, of the program as it was loaded.
    if (parts_.empty()) parts_.push_back({0, 0, &plainImage_});
    parts_.push_back({first, test.steps.size(), nullptr});
  }

  /// All parts. The folder goes with the chain.
  [[noreturn]] void run(const Options& options) {
    std::ofstream(usersProgram()) << kUsersProgram;
    int status = 0;
    for (std::size_t number = 0; number < parts_.size() && status == 0; ++number) {
      const bool isProgram = form_ == CaseForm::Object || form_ == CaseForm::Program;
      status = statusOf([&] {
        if (isProgram && number != 0) become(lineOf(number));
        runPart(number, [&] { return machineOf(number, options); });
      });
      if (status == 0 || number + 1 == parts_.size()) continue;
      // What was wrong has been told, unless it was this.
      if (WIFSIGNALED(status))
        verdict_.fail("the process that makes image " + std::to_string(number) + " ended by a signal");
      verdict_.say(kDone);
      status = 0;
      break;
    }
    std::error_code error;
    std::filesystem::remove_all(folder_, error);
    endAs(status);
  }

  /// Ends the process. The status is not zero where the next part cannot come.
  template <class F>
  [[noreturn]] void runPart(std::size_t number, F machine) {
    bool isRight = false;
    const FailureReport report = [this](const std::string& what) { verdict_.fail(what); };
    try {
      CaseRun run(test_, machine(), report);
      run.makesImages(formatOfImages());
      isRight = (number != 0 || run.load()) && runSteps(run, number);
    } catch (const Exit& exit) {
      verdict_.fail(exit.message);
    }
    std::fflush(stdout);
    if (number + 1 < parts_.size()) _exit(isRight ? kOk : kBadImage);
    verdict_.say(kDone);
    _exit(kOk);
  }

 private:
  /// Steps that run in one process.
  struct Part {
    std::size_t first, end;
    /// The image that is made then; null: none, the case is at its end.
    const Step* image;
  };

  ImageFormat formatOfImages() const {
    switch (form_) {
      case CaseForm::SharedObject: return ImageFormat::SharedObject;
      case CaseForm::Object: return ImageFormat::Object;
      case CaseForm::Program: return ImageFormat::Program;
      default: return ImageFormat::Image;
    }
  }

  std::string usersProgram() const { return folder_ + "/user.c"; }
  /// Of what part `number` leaves to the next one.
  std::string path(std::size_t number) const { return folder_ + "/" + std::to_string(number); }

  Machine machineOf(std::size_t number, const Options& options) const {
    if (number == 0) return Machine(options);
    const std::string image = path(number - 1);
    const auto symbols = CaseLifetime::stands(test_);
    if (form_ == CaseForm::SharedObject) return Machine::ofLinked(openImage(image), words_, symbols);
    return Machine(image, options, {symbols, form_ == CaseForm::MovedImage});
  }

  std::vector<std::string> lineOf(std::size_t number) const {
    return {path(number - 1),
            test_.path,
            words_,
            std::to_string(static_cast<int>(form_)),
            std::to_string(number),
            folder_,
            std::to_string(verdict_.file())};
  }

  bool runSteps(CaseRun& run, std::size_t number) const {
    const Part& part = parts_[number];
    run.run(part.first, part.end);
    std::fflush(stdout);
    if (!part.image || run.isFailed()) return !run.isFailed();
    const bool isObject = form_ == CaseForm::Object;
    bootimage::Output output{path(number) + (isObject ? ".o" : ""), formatOfImages()};
    if (form_ == CaseForm::Program)
      output.sources = {usersProgram(), folderOfLibrary() + "/" + kCasesLibrary};
    auto built = run.buildImage(*part.image, output);
    if (!built) {
      verdict_.fail("line " + std::to_string(part.image->line) + ": " + built.error().message);
      return false;
    }
    return !isObject || link(output.path, path(number), run.libraries());
  }

  /// As a user of the library does, by plain cc.
  bool link(const std::string& object, const std::string& program,
            const std::vector<std::string>& libraries) const {
    const std::string folder = folderOfLibrary();
    std::vector<std::string> line{
        "cc",          "-o",         program,  usersProgram(), object,
        "-L" + folder, "-lgaur-cli", "-lgaur", "-lm",          "-Wl,-rpath," + folder};
    for (const std::string& name : libraries)
      line.push_back(name.find('/') == std::string::npos ? "-l:" + name : name);
    const int status = statusOf([&] { become(line); });
    if (status != 0) verdict_.fail("cc cannot link the object with a program");
    return status == 0;
  }

  const TestCase& test_;
  std::string words_;
  CaseForm form_;
  std::string folder_;
  Verdict verdict_;
  const Step plainImage_ = [] {
    Step step;
    step.kind = Step::Kind::Image;
    return step;
  }();
  std::vector<Part> parts_;
};

/// Text and Builder: one process, no image.
[[noreturn]] void runHere(const TestCase& test, const Options& options, CaseForm form, Verdict verdict) {
  const FailureReport report = [&](const std::string& what) { verdict.fail(what); };
  try {
    CaseRun run(test, form == CaseForm::Text ? Machine(options) : Machine::ofClient(options), report);
    if (run.load()) run.run(0, test.steps.size());
  } catch (const Exit& exit) {
    verdict.fail(exit.message);
  }
  std::fflush(stdout);
  verdict.say(kDone);
  _exit(kOk);
}

}  // namespace

void runCaseToTheEnd(const TestCase& test, const Options& options, CaseForm form, int verdict) {
  if (form == CaseForm::Text || form == CaseForm::Builder) runHere(test, options, form, Verdict(verdict));
  std::string folder = (std::filesystem::temp_directory_path() / "gaur-case.XXXXXX").string();
  if (!mkdtemp(folder.data())) throw Exit{kResources, std::strerror(errno)};
  ImageChain(test, optionWords(options), form, std::move(folder), Verdict(verdict)).run(options);
}

}  // namespace gaur::tool

using namespace gaur::tool;

/// The end of a program of kUsersProgram: the part of the case that its words tell, on the machine of the
/// image that is linked with it.
extern "C" int gaur_case_main(int argc, char** argv, GaurLinkedImage* image) {
  if (argc != kWordCount) return kUsage;
  const Verdict verdict(std::atoi(argv[kVerdictWord]));
  auto test = readTestCase(argv[kCaseWord], readFile(argv[kCaseWord]));
  if (!test) {
    verdict.fail(test.error().message);
    return kUsage;
  }
  const std::string options = argv[kOptionsWord];
  ImageChain(*test, options, static_cast<CaseForm>(std::atoi(argv[kFormWord])), argv[kFolderWord], verdict)
      .runPart(std::strtoul(argv[kPartWord], nullptr, 10),
               [&] { return Machine::ofLinked(image, options, CaseLifetime::stands(*test)); });
}
