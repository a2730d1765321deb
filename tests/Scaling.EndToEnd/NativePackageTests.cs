// Native packages from a source of packages: stand-ins with few bytes in a folder, NuGet's packages folder in the test's own.
using System.Diagnostics;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Scaling.EndToEnd;

public sealed class NativePackageTests : IDisposable
{
    private const string Native = "runtimes/linux-x64/native";
    private const string Cuda = "libtorch-cuda-12.8-linux-x64";

    private readonly Tool _tool = new();

    public NativePackageTests() => _tool.UseFeed();

    public void Dispose() => _tool.Dispose();

    [Fact]
    public void A_package_with_a_known_hash_is_planned_without_it_and_fetched_when_an_action_runs()
    {
        WriteStudy();

        var plan = _tool.Run("plan", "study.yaml");
        Assert.Equal(0, plan.ExitCode);
        Assert.False(Directory.Exists(_tool.Folder["packages"]), "plan fetched");
        var run = _tool.Run("run", "study.yaml", "--json");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains("fetching Test.Base 1.0.0 and Test.Light 1.0.0", run.Error);
        Assert.Equal("point,text\nlibbase.so,base\nliblight.so,light\n", File.ReadAllText(_tool.Folder["results/study/work/native.csv"]));
        Assert.False(Directory.Exists(_tool.Folder["packages/test.heavy"]), "a package came that the settings do not ask for");

        var again = _tool.Run("run", "study.yaml", "--json");
        Assert.Equal((0, 0), (again.ExitCode, again.Executed));
        Assert.DoesNotContain("fetching", again.Error);
    }

    [Fact]
    public void A_package_without_a_hash_is_fetched_before_planning_with_all_that_it_stands_for_and_plan_says_so_before()
    {
        WriteStudy(", with: { flavour: large }");

        var before = _tool.Run("plan", "study.yaml");
        var why = _tool.Run("why", "work", "study.yaml");
        Assert.Contains("the native package Test.Heavy 2.0.0 is not fetched yet", before.Output);
        Assert.Contains("To run: 1 action.", before.Output);
        Assert.Contains("the native package Test.Heavy 2.0.0 is not fetched yet", why.Output);
        Assert.False(Directory.Exists(_tool.Folder["packages"]), "plan or why fetched");

        var run = _tool.Run("run", "study.yaml", "--json");
        var after = _tool.Run("plan", "study.yaml");

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Equal("point,text\nlibbase.so,base\nlibheavy.so,heavy\nlibpart.so,part\n", File.ReadAllText(_tool.Folder["results/study/work/native.csv"]));
        Assert.Contains("Nothing to do.", after.Output);

        // Settings say which; and nobody who has loaded the one set is asked to work with the other.
        WriteStudy(", with: { flavour: plain }");
        var other = _tool.Run("why", "work", "study.yaml");
        Assert.Contains("the native package Test.Heavy is gone (it was 2.0.0 ", other.Output);
        Assert.Contains("the native package Test.Light is new (1.0.0 ", other.Output);
    }

    [Fact]
    public void Where_the_machine_lacks_what_the_stage_needs_nothing_is_fetched()
    {
        foreach (string flavour in new[] { "large", "plain" })
        {
            WriteStudy($", with: {{ flavour: {flavour}, machine: poor }}");

            var run = _tool.Run("run", "study.yaml");

            Assert.Equal(1, run.ExitCode);
            Assert.Contains("error TEST0001: This machine is poor.", run.Error);
            Assert.DoesNotContain("fetching", run.Error);
            Assert.False(Directory.Exists(_tool.Folder["packages"]), "packages were fetched");
        }

        Assert.Equal((1, 1, 0), (_tool.Journal("check.large"), _tool.Journal("check.plain"), _tool.Journal("native")));
    }

    [Fact]
    public void Two_stages_of_one_plugin_with_different_packages_have_workers_of_their_own()
    {
        WriteStudy("", "  more: { uses: native, with: { flavour: large } }\n");

        var run = _tool.Run("run", "study.yaml", "--jobs", "1");

        Assert.True(run.ExitCode == 0, run.Error);
        string[] processes = [.. Directory.EnumerateFiles(_tool.Folder["journal"], "native.*").Select(f => Path.GetFileName(f).Split('.')[1].Split(' ')[1])];
        Assert.Equal((2, 2), (processes.Length, processes.Distinct().Count()));
    }

    [Fact]
    public void What_no_source_has_is_told()
    {
        WriteStudy();
        File.Delete(_tool.Folder["feed/Test.Light.1.0.0.nupkg"]);

        var run = _tool.Run("run", "study.yaml");

        Assert.NotEqual(0, run.ExitCode);
        Assert.Contains("Test.Light", run.Error);
        Assert.Contains("SCAL61", run.Error);
    }

    [Fact]
    public void Without_a_GPU_a_study_on_CUDA_fails_at_once_and_fetches_nothing()
    {
        if (File.Exists("/proc/driver/nvidia/version"))
        {
            return; // A machine with a GPU has nothing to refuse.
        }

        WriteCudaStudy();

        var run = _tool.Run("run", "study.yaml");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("error SCAL8207: device: cuda, and no CUDA device was found: libcuda.so.1, the library of NVIDIA's driver, does not load", run.Error);
        Assert.DoesNotContain("fetching", run.Error);
        Assert.False(Directory.Exists(_tool.Folder["packages"]), "packages were fetched");
    }

    [Fact]
    public void With_a_GPU_libtorch_for_CUDA_comes_in_parts_and_is_put_together()
    {
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "cc"))))
        {
            return; // The stand-ins for driver and libraries are compiled.
        }

        byte[] cuda = WriteCudaStudy();
        string driver = Path.GetDirectoryName(Compile("libcuda.so.1", Driver))!;

        _tool.Environment["LD_LIBRARY_PATH"] = driver;
        var run = _tool.Run("run", "study.yaml");

        Assert.Contains("fetching TorchSharp 0.107.0 and TorchSharp-cuda-linux 0.107.0", run.Error);
        string[] came = [.. Directory.EnumerateDirectories(_tool.Folder["packages"]).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];
        Assert.Equal(
            [Cuda, $"{Cuda}-part1", $"{Cuda}-part2-fragment1", $"{Cuda}-part2-fragment2", $"{Cuda}-part2-primary", "torchsharp", "torchsharp-cuda-linux"], came.Where(c => c.Contains("torch", StringComparison.Ordinal)));
        string folder = Path.GetDirectoryName(Directory.EnumerateFiles(_tool.Folder["store"], "libc10_cuda.so", SearchOption.AllDirectories).Single())!;
        Assert.Equal(["libLibTorchSharp.so", "libc10_cuda.so", "libtorch.so", "libtorch_cuda.so"], Directory.EnumerateFiles(folder).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal));
        Assert.Equal(cuda, File.ReadAllBytes(Path.Combine(folder, "libtorch_cuda.so")));

        // The stand-ins are found and loaded; that they cannot compute is told of TorchSharp's half, the last to be loaded.
        Assert.Equal(1, run.ExitCode);
        Assert.DoesNotContain("SCAL821", run.Error);
        Assert.DoesNotContain("SCAL8202", run.Error);
        var why = _tool.Run("plan", "study.yaml");
        Assert.DoesNotContain("not fetched yet", why.Output);
    }

    /// <summary>A pipeline of the test stage <c>native</c> whose plugin names three packages, and a source that has them.</summary>
    private void WriteStudy(string with = "", string more = "")
    {
        string light = Package("Test.Light", "1.0.0", [(Native + "/liblight.so", "light")]);
        string library = Package("Test.Base", "1.0.0", [(Native + "/libbase.so", "base"), ("lib/netstandard2.0/Test.Base.dll", "")], needs: [("Test.Managed", "1.0.0")]);
        Package("Test.Managed", "1.0.0", [("lib/netstandard2.0/Test.Managed.dll", "")]);
        Package("Test.Heavy", "2.0.0", [(Native + "/libheavy.so", "heavy")], needs: [("Test.Base", "1.0.0"), ("Test.Heavy.part", "2.0.0")]);
        Package("Test.Heavy.part", "2.0.0", [(Native + "/libpart.so", "part")]);
        string plugin = _tool.WriteWithOwnPlugin("study.yaml", $"  work: {{ uses: native{with} }}\n{more}");
        File.WriteAllText(Path.Combine(plugin, "native.json"), $$$"""
            {"packages":[
              {"id":"Test.Light","version":"1.0.0","sha512":"{{{light}}}","when":{"flavour":"plain"}},
              {"id":"Test.Base","version":"1.0.0","sha512":"{{{library}}}"},
              {"id":"Test.Heavy","version":"2.0.0","when":{"flavour":"large"}}]}
            """);
    }

    /// <summary>A pipeline that trains on CUDA by a copy of the built stage, and a source with everything that this needs; the bytes of the library that is in pieces.</summary>
    private byte[] WriteCudaStudy()
    {
        string stage = Path.Combine(Path.GetDirectoryName(Tool.Program)!, "plugins", "train");
        Directory.CreateDirectory(_tool.Folder["train"]);
        foreach (string file in Directory.EnumerateFiles(stage))
        {
            File.Copy(file, _tool.Folder[$"train/{Path.GetFileName(file)}"]);
        }

        byte[] cuda = Library("libtorch_cuda.so", 1);
        string torchSharp = Package("TorchSharp", "0.107.0", [], needs: [("Test.Managed", "1.0.0")], libraries: [($"{Native}/libLibTorchSharp.so", Library("libLibTorchSharp.so", 2))]);
        Package("Test.Managed", "1.0.0", [("lib/netstandard2.0/Test.Managed.dll", "")]);
        string[] parts = [$"{Cuda}-part1", $"{Cuda}-part2-primary", $"{Cuda}-part2-fragment1", $"{Cuda}-part2-fragment2"];
        Package("TorchSharp-cuda-linux", "0.107.0", [("lib/netstandard2.0/_._", "")], needs: [("TorchSharp", "0.107.0"), (Cuda, "2.10.0")]);
        Package(Cuda, "2.10.0", [("lib/netstandard2.0/_._", "")], needs: [.. parts.Select(p => (p, "2.10.0"))]);
        Package(parts[0], "2.10.0", [], libraries: [($"{Native}/libtorch.so", Library("libtorch.so", 3)), ($"{Native}/libc10_cuda.so", Library("libc10_cuda.so", 4))]);
        Package(parts[1], "2.10.0", [($"{Native}/libtorch_cuda.so.sha", Convert.ToHexStringLower(SHA256.HashData(cuda)))], libraries: [($"{Native}/libtorch_cuda.so", cuda[..1000])]);
        Package(parts[2], "2.10.0", [], libraries: [("fragments/linux-x64/native/libtorch_cuda.so.fragment1", cuda[1000..2000])]);
        Package(parts[3], "2.10.0", [], libraries: [("fragments/linux-x64/native/libtorch_cuda.so.fragment2", cuda[2000..])]);
        File.WriteAllText(_tool.Folder["train/native.json"], $$$"""
            {"packages":[
              {"id":"libtorch-cpu-linux-x64","version":"2.10.0","sha512":"none","when":{"device":"cpu"}},
              {"id":"TorchSharp","version":"0.107.0","sha512":"{{{torchSharp}}}"},
              {"id":"TorchSharp-cuda-linux","version":"0.107.0","when":{"device":"cuda","trainer":null,"engine":["torch",null]}}]}
            """);
        _tool.Folder.Write("corpus.txt", string.Join('\n', Enumerable.Range(0, 4000).Select(i => $"line {i} of a text that is long enough to hold something out")));
        _tool.Folder.Write("study.yaml", """
            plugins:
              - path: train/Scaling.Stages.Train.dll
            stages:
              shapes: { uses: sweep, with: { sizes: [8k], layers: 2, head_size: 8, multiple_of: 4, x: [0.24], ratio: [1.5], gqa: 2 } }
              runs: { uses: train, needs: shapes, with: { device: cuda, corpus: "text:corpus.txt", tokens_per_parameter: 1 } }

            """);
        return cuda;
    }

    /// <summary>Bytes of a library: a real one where there is a compiler.</summary>
    private byte[] Library(string name, int seed)
    {
        if ((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, "cc"))))
        {
            return File.ReadAllBytes(Compile(name, $"int stand_in_{seed}(void) {{ return {seed}; }}"));
        }

        byte[] bytes = new byte[5000];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    private string Compile(string name, string source)
    {
        string library = _tool.Folder[$"compiled/{name}"];
        string code = _tool.Folder.Write($"compiled/{name}.c", source);
        using var compiler = Process.Start("cc", ["-shared", "-fPIC", $"-Wl,-soname,{name}", "-o", library, code]);
        compiler.WaitForExit();
        Assert.Equal(0, compiler.ExitCode);
        return library;
    }

    /// <summary>Packs a package into the source.</summary>
    /// <returns>Its content hash.</returns>
    private string Package(string id, string version, (string Path, string Text)[] files, (string Id, string Version)[]? needs = null, (string Path, byte[] Bytes)[]? libraries = null)
    {
        string package = _tool.Folder[$"feed/{id}.{version}.nupkg"];
        File.Delete(package);
        string dependencies = string.Concat((needs ?? []).Select(n => $"<dependency id=\"{n.Id}\" version=\"{n.Version}\" />"));
        using (var archive = ZipFile.Open(package, ZipArchiveMode.Create))
        {
            Add(archive, $"{id}.nuspec", Encoding.UTF8.GetBytes($"""
                <package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd"><metadata>
                <id>{id}</id><version>{version}</version><authors>tests</authors><description>A stand-in.</description>
                <dependencies><group targetFramework=".NETStandard2.0">{dependencies}</group></dependencies>
                </metadata></package>
                """));
            foreach (var (path, text) in files)
            {
                Add(archive, path, Encoding.UTF8.GetBytes(text));
            }

            foreach (var (path, bytes) in libraries ?? [])
            {
                Add(archive, path, bytes);
            }
        }

        return Convert.ToBase64String(SHA512.HashData(File.ReadAllBytes(package)));
    }

    private static void Add(ZipArchive archive, string path, byte[] content)
    {
        var entry = archive.CreateEntry(path);
        entry.LastWriteTime = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using var stream = entry.Open();
        stream.Write(content);
    }

    /// <summary>The functions of NVIDIA's driver that are called to find a GPU, as its header cuda.h declares them.</summary>
    private const string Driver = """
        #include <string.h>
        int cuInit(unsigned flags) { return flags; }
        int cuGetErrorName(int error, const char **name) { *name = "CUDA_ERROR"; return 0; }
        int cuDeviceGetCount(int *count) { *count = 1; return 0; }
        int cuDeviceGet(int *device, int ordinal) { *device = ordinal; return 0; }
        int cuDeviceGetName(char *name, int length, int device) { strncpy(name, "a stand-in", length); return 0; }
        int cuDeviceGetAttribute(int *value, int attribute, int device) { *value = attribute == 75 ? 9 : 0; return 0; }

        """;
}
