// Goal: both kinds of form, read whole and into a struct; each refusal with its status and reason.
#include <doctest/doctest.h>
#include <millrace/form.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/unit/serve/app_fixture.hpp"

using namespace millrace;
using namespace std::string_view_literals;

namespace {

constexpr std::string_view urlencoded = "application/x-www-form-urlencoded";
constexpr std::string_view multipart = "multipart/form-data; boundary=XX";

std::string part(std::string_view parameters, std::string_view data, std::string_view lines = "") {
  return "--XX\r\nContent-Disposition: form-data; " + std::string(parameters) + "\r\n" + std::string(lines) +
         "\r\n" + std::string(data) + "\r\n";
}

/// "name=value|"..., then "name:filename:type:data|"...; or the status and the reason.
std::string read(std::string_view type, std::string_view body, const FormLimits& limits = {}) {
  FormData form;
  detail::Refusal refusal;
  if (!detail::read_form(type, body, limits, form, refusal))
    return std::to_string(refusal.status) + " " + refusal.message;
  const FormData moved = std::move(form);  // Views must survive it.
  std::string out;
  for (const FormData::Field& field : moved.fields())
    out.append(field.name).append("=").append(field.value).append("|");
  for (const FormFile& file : moved.files())
    out.append(file.name + ":" + file.filename + ":" + file.content_type + ":").append(file.data).append("|");
  return out;
}

struct Profile {
  std::string name;
  std::optional<std::uint8_t> age;
  bool news = false;
  std::vector<std::string> tag;
  std::optional<std::string> motto;
  std::optional<FormFile> picture;
  std::vector<FormFile> more;
};
MR_JSON(Profile, name, age, news, tag, motto, picture, more)

struct Upload {
  FormFile file;
};
MR_JSON(Upload, file)

std::string show(Form<Profile> form) {
  const Profile& profile = form.value;
  std::string out = profile.name + ";" + (profile.age ? std::to_string(*profile.age) : "-") + ";" +
                    (profile.news ? "news" : "-") + ";" + profile.motto.value_or("-") + ";";
  for (const std::string& tag : profile.tag) out += tag + ",";
  if (profile.picture) out.append(";").append(profile.picture->data);
  for (const FormFile& file : profile.more) out.append(";").append(file.filename);
  return out;
}

std::string with_body(std::string_view type, std::string_view body) {
  return "Content-Type: " + std::string(type) + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

}  // namespace

TEST_CASE("form: urlencoded") {
  CHECK(read(urlencoded, "") == "");
  CHECK(read(urlencoded, "a=1&b=2") == "a=1|b=2|");
  CHECK(read("Application/X-WWW-Form-Urlencoded; charset=UTF-8", "a=1") == "a=1|");
  CHECK(read(urlencoded, "a=b+c%26%3D%C3%A9&a=2") == "a=b c&=\xc3\xa9|a=2|");
  CHECK(read(urlencoded, "&&a&=1&b=&c==&") == "a=|=1|b=|c==|");
  CHECK(read(urlencoded, "%61=%62") == "a=b|");
  CHECK(read(urlencoded, "a=%00") == std::string("a=\0|"sv));
  for (std::string_view bad : {"a=%", "a=%4", "a=%zz", "%=1", "a=1&b=%g0"}) {
    CAPTURE(bad);
    CHECK(read(urlencoded, bad) == "400 form: malformed escape");
  }
  CHECK(read(urlencoded, "a&b", {.fields_max = 2}) == "a=|b=|");
  CHECK(read(urlencoded, "a&b&c", {.fields_max = 2}) == "413 form: it has too many fields");
}

TEST_CASE("form: multipart") {
  const std::string end = "--XX--\r\n";
  CHECK(read(multipart, end) == "");
  CHECK(read(multipart, part("name=a", "1") +
                            part("name=f; filename=\"x.txt\"", "data", "Content-Type: text/plain\r\n") +
                            part("name=b", "") + end) == "a=1|b=|f:x.txt:text/plain:data|");
  CHECK(read(multipart,
             part("name=a; filename=\"\"", "", "Content-Type: application/octet-stream\r\n") + end) == "");
  CHECK(read(multipart, part("name=a; filename=\"\"", "x") + end) == "a:::x|");
  CHECK(read(multipart, part("name=a; filename=\"../../etc/passwd\"", "x") + end) ==
        "a:../../etc/passwd::x|");
  CHECK(read(multipart, part("name=a", "%41+b") + end) == "a=%41+b|");
  CHECK(read(multipart, part("name=a", "1")) == "400 form: the closing boundary is missing");
  CHECK(read(multipart, "") == "400 form: the closing boundary is missing");
  CHECK(read("multipart/form-data", end) ==
        "400 form: the boundary of the Content-Type is missing or not valid");
  CHECK(read("multipart/form-data; boundary=" + std::string(71, 'x'), end) ==
        "400 form: the boundary of the Content-Type is missing or not valid");
  CHECK(read(multipart, part("name=a", "1") + part("name=b", "2") + end, {.fields_max = 1}) ==
        "413 form: it has too many parts");
  CHECK(read(multipart, part("name=a", "1", "X: " + std::string(200, 'x') + "\r\n") + end,
             {.part_head_bytes_max = 100}) == "413 form: the head of a part is too large");
}

TEST_CASE("form: other types are no forms") {
  for (std::string_view type :
       {""sv, "text/plain"sv, "application/json"sv, "multipart/mixed; boundary=XX"sv}) {
    CAPTURE(type);
    CHECK(read(type, "a=1") ==
          "415 form: expected the Content-Type application/x-www-form-urlencoded or multipart/form-data");
  }
}

TEST_CASE_FIXTURE(test::AppFixture, "form: into a struct") {
  app.post("/", show);
  const auto post = [this](std::string_view type, std::string_view body) {
    const test::Answer answer = ask("POST /", with_body(type, body));
    return std::to_string(answer.status) + " " + answer.body;
  };
  CHECK(post(urlencoded, "name=J%C3%B6&age=7&news=on&tag=a&tag=b&motto=") == "200 J\xc3\xb6;7;news;;a,b,");
  CHECK(post(urlencoded, "name=a") == "200 a;-;-;-;");
  CHECK(post(urlencoded, "name=a&age=&news=false") == "200 a;-;-;-;");
  CHECK(post(multipart, part("name=name", "a") + part("name=picture; filename=p", "bytes") +
                            part("name=more; filename=1", "x") + part("name=more; filename=2", "y") +
                            "--XX--") == "200 a;-;-;-;;bytes;1;2");
  CHECK(post(urlencoded, "age=7") == "400 form: missing parameter: name");
  CHECK(post(urlencoded, "name=a&name=b") == "400 form: expected once: name");
  CHECK(post(urlencoded, "name=a&age=256") == "400 form: expected an integer from 0 to 255: age");
  CHECK(post(urlencoded, "name=a&news=maybe") == "400 form: expected true, false, 1 or 0: news");
  CHECK(post(urlencoded, "name=a&picture=x") == "400 form: expected a file: picture");
  CHECK(post(multipart, part("name=name; filename=f", "a") + "--XX--") ==
        "400 form: expected a text, not a file: name");
  CHECK(post("text/plain", "name=a").starts_with("415 form: "));
}

TEST_CASE_FIXTURE(test::AppFixture, "form: a file that must be there") {
  app.post("/", [](Form<Upload> form) {
    return form.value.file.content_type + std::string(form.value.file.data);
  });
  CHECK(ask("POST /",
            with_body(multipart, part("name=file; filename=f", "x", "Content-Type: a/b\r\n") + "--XX--"))
            .body == "a/bx");
  CHECK(ask("POST /", with_body(multipart, part("name=file; filename=\"\"", "") + "--XX--")).body ==
        "form: missing parameter: file");
}

TEST_CASE_FIXTURE(test::AppFixture, "form: asked for by hand") {
  app.post("/form", [](Request& request) {
    const FormData form = request.form();
    return std::string(form.get("a").value_or("-")) + (form.file("f") ? form.file("f")->filename : "");
  });
  app.post("/limited",
           [](Request& request) { return std::to_string(request.form({.fields_max = 1}).fields().size()); });
  app.post("/files", [](Request& request) { return std::to_string(request.files().size()); });
  app.post("/data", [](const FormData& form) { return std::string(form.get("a").value_or("-")); });
  const std::string body = part("name=a", "1") + part("name=f; filename=n", "2") + "--XX--";
  CHECK(ask("POST /form", with_body(multipart, body)).body == "1n");
  CHECK(ask("POST /files", with_body(multipart, body)).body == "1");
  CHECK(ask("POST /data", with_body(multipart, body)).body == "1");
  CHECK(ask("POST /limited", with_body(multipart, body)).status == 413);
  for (std::string_view path : {"POST /form", "POST /files", "POST /data"}) {
    CAPTURE(path);
    CHECK(ask(path, with_body(urlencoded, "a=%")).status == 400);
    CHECK(ask(path, with_body("text/css", "a=1")).status == 415);
    CHECK(ask(path, "Content-Encoding: gzip\r\n" + with_body(urlencoded, "a=1")).status == 415);
    CHECK(ask(path, "Content-Encoding: identity\r\n" + with_body(urlencoded, "a=1")).status == 200);
  }
}

TEST_CASE_FIXTURE(test::AppFixture,
                  "http error: answered with its status, unless the application has a page") {
  app.get("/{status}", [](unsigned status) -> std::string { throw HttpError(status, "why\n"); });
  CHECK(ask("GET /404").status == 404);
  CHECK(ask("GET /404").body == "why\n");
  CHECK(ask("GET /503").status == 503);
  for (std::string_view path : {"GET /200", "GET /0", "GET /600", "GET /65940"})
    CHECK(ask(path).status == 500);
  test::AppFixture other;
  other.app.get("/", []() -> std::string { throw HttpError(410); });
  CHECK(other.ask("GET /").body == "410 Gone\n");
  test::AppFixture paged;
  paged.app.get("/", []() -> std::string { throw HttpError(410, "why"); });
  paged.app.on_error<HttpError>(
      [](const HttpError& error) { return Response("mine").status(error.status()); });
  CHECK(paged.ask("GET /").body == "mine");
  CHECK(paged.ask("GET /").status == 410);
}

TEST_CASE("form: safe names for files") {
  struct Case {
    std::string_view sent, want;
  };
  static constexpr Case cases[] = {
      {"a.txt", "a.txt"},
      {"J\xc3\xb6rg & co.txt", "J\xc3\xb6rg & co.txt"},
      {"../../etc/passwd", "passwd"},
      {"/etc/passwd", "passwd"},
      {R"(C:\Users\me\a.txt)", "a.txt"},
      {R"(..\..\a.txt)", "a.txt"},
      {"a/..", "file"},
      {"..", "file"},
      {".", "file"},
      {"", "file"},
      {"/", "file"},
      {"   ", "file"},
      {".htaccess", "htaccess"},
      {"...a", "a"},
      {"a.txt. .", "a.txt"},
      {"a\0.txt"sv, "a.txt"},
      {"a\r\nb", "ab"},
      {"\x7f\x01", "file"},
      {"a:b*c?d\"e<f>g|h", "a_b_c_d_e_f_g_h"},
      {"%2e%2e%2fa", "%2e%2e%2fa"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.sent);
    CHECK(safe_filename(c.sent) == c.want);
  }
  CHECK(safe_filename(std::string(255, 'x')) == std::string(255, 'x'));
  CHECK(safe_filename(std::string(300, 'x')) == std::string(255, 'x'));
  CHECK(safe_filename(std::string(300, 'x') + ".jpeg") == std::string(250, 'x') + ".jpeg");
  CHECK(safe_filename(std::string(254, 'x') + "\xc3\xa9") == std::string(254, 'x'));
  CHECK(safe_filename(std::string(254, 'x') + " \xc3\xa9") == std::string(254, 'x'));
  CHECK(safe_filename(std::string(240, 'x') + std::string(20, '.') + ".txt") ==
        std::string(240, 'x') + ".txt");
  // No UTF-8: not shorter than it must be.
  CHECK(safe_filename(std::string(300, '\x80')) == std::string(255, '\x80'));
  CHECK(safe_filename(std::string(300, '\x80') + ".txt") == std::string(251, '\x80') + ".txt");
}
