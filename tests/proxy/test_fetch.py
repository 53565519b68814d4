# SPDX-License-Identifier: Apache-2.0
"""The development profiles fetch and build a small project each, through whatever registry the tools of whoever runs this are
set up for. Needs the network."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

NONO = os.environ.get("NONO_BIN", "")


class Fetch(unittest.TestCase):
    def setUp(self):
        self.room = tempfile.mkdtemp(prefix="nf-", dir="/var/tmp")
        self.addCleanup(subprocess.run, ["rm", "-rf", self.room], check=False)
        self.project = os.path.join(self.room, "project")
        os.mkdir(self.project)
        self.env = {**os.environ, "XDG_CACHE_HOME": os.path.join(self.room, "cache"),
                    "PATH": os.environ["PATH"] + ":/usr/local/go/bin"}

    def file(self, name, text):
        path = os.path.join(self.project, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)

    def needs(self, tool):
        if not shutil.which(tool, path=self.env["PATH"]):
            self.skipTest(f"{tool} is not installed")

    def nono(self, profile, *command):
        r = subprocess.run([NONO, "run", "-s", "--profile", profile, "--allow-cwd", "--", *command], cwd=self.project, env=self.env,
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
        self.assertEqual(r.returncode, 0, f"{command}\n{r.stdout.decode()}\n{r.stderr.decode()}")
        return r.stdout.decode()

    def cache(self, *below):
        return os.path.join(self.room, "cache", "nono", *below)

    def test_go(self):
        self.needs("go")
        self.file("go.mod", "module example.org/small\n\ngo 1.20\n\nrequire github.com/gorilla/mux v1.8.1\n")
        self.file("main.go", "package main\n\nimport (\n\t\"fmt\"\n\n\t\"github.com/gorilla/mux\"\n)\n\n"
                             "func main() { fmt.Println(mux.NewRouter() != nil) }\n")
        self.nono("go-dev", "go", "mod", "tidy")
        self.assertEqual(self.nono("go-dev", "go", "run", "."), "true\n")

    def test_rust(self):
        self.needs("cargo")
        self.file("Cargo.toml", "[package]\nname = \"small\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\nitoa = \"1\"\n")
        self.file("src/main.rs", "fn main() { println!(\"{}\", itoa::Buffer::new().format(7)); }\n")
        self.assertEqual(self.nono("rust-dev", "cargo", "run", "-q"), "7\n")
        self.assertTrue(os.path.isdir(self.cache("cargo", "registry")))

    def test_node(self):
        self.needs("npm")
        self.file("package.json", '{"name": "small", "version": "1.0.0", "dependencies": {"left-pad": "^1.3.0"}}\n')
        self.nono("node-dev", "npm", "install", "--no-audit", "--no-fund")
        self.assertEqual(self.nono("node-dev", "node", "-p", "require('left-pad')('x', 3)"), "  x\n")
        self.assertTrue(os.path.isdir(self.cache("npm", "_cacache")))

    def test_python(self):
        self.needs("python3")
        self.nono("python-dev", "python3", "-m", "venv", "env")
        self.nono("python-dev", "env/bin/pip", "install", "-q", "six")
        self.assertRegex(self.nono("python-dev", "env/bin/python", "-c", "import six; print(six.__version__)"), r"^[\d.]+\n$")

    def test_java(self):
        self.needs("mvn")
        self.needs("javac")
        self.file("pom.xml", "<project><modelVersion>4.0.0</modelVersion><groupId>org.example</groupId><artifactId>small</artifactId>"
                             "<version>1</version><properties><maven.compiler.source>11</maven.compiler.source>"
                             "<maven.compiler.target>11</maven.compiler.target></properties><dependencies><dependency>"
                             "<groupId>commons-codec</groupId><artifactId>commons-codec</artifactId><version>1.15</version>"
                             "</dependency></dependencies></project>\n")
        self.file("src/main/java/Small.java", "import java.nio.file.Files;\n"
                                              "public class Small { public static void main(String[] a) throws Exception { "
                                              "Files.readAllBytes(Files.createTempFile(\"a\", \"b\")); System.out.println("
                                              "org.apache.commons.codec.binary.Hex.encodeHexString(new byte[]{7})); } }\n")
        self.nono("java-dev", "mvn", "-q", "-B", "compile")
        jar = self.cache("maven", "commons-codec/commons-codec/1.15/commons-codec-1.15.jar")
        self.assertEqual(self.nono("java-dev", "java", "-cp", f"target/classes:{jar}", "Small"), "07\n")

    def test_gradle(self):
        self.needs("gradle")
        self.needs("javac")
        self.file("build.gradle", "apply plugin: 'java'\napply plugin: 'application'\nmainClassName = 'Small'\n"
                                  "repositories { mavenCentral() }\n"
                                  "dependencies { implementation 'commons-codec:commons-codec:1.15' }\n")
        self.file("src/main/java/Small.java", "public class Small { public static void main(String[] a) { System.out.println("
                                              "org.apache.commons.codec.binary.Hex.encodeHexString(new byte[]{7})); } }\n")
        self.assertIn("07\n", self.nono("java-dev", "gradle", "--no-daemon", "-q", "run"))
        self.assertTrue(os.path.isdir(self.cache("gradle", "caches")))


if __name__ == "__main__":
    if not NONO:
        sys.exit("NONO_BIN is not set")
    program = unittest.main(exit=False)
    sys.exit(0 if program.result.wasSuccessful() and program.result.testsRun else 1)
