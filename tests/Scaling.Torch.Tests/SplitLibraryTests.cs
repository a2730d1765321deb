// libtorch for CUDA as its packages hold it, in pieces: stand-ins with the real ids, versions and paths, and few bytes.
using System.Security.Cryptography;
using System.Text;
using Scaling.TestKit;

namespace Scaling.Torch.Tests;

public sealed class SplitLibraryTests : IDisposable
{
    private const string Native = "runtimes/linux-x64/native";
    private const string Fragments = "fragments/linux-x64/native";
    private const string Version = "2.10.0";
    private const string Meta = "libtorch-cuda-12.8-linux-x64";
    private static readonly byte[] Cuda = Bytes(1, 300_000), Cpu = Bytes(2, 70_000);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_parts_of_libtorch_for_CUDA_become_one_folder_of_whole_libraries_and_the_packages_stay_as_they_are()
    {
        string[] packages = Packages();
        string before = Listing("packages");
        var told = new List<StitchProgress>();

        string folder = LibtorchFolder.OfCuda(packages, _folder["cache"], told.Add);

        Assert.Equal(
            ["libLibTorchSharp.so", "libc10.so", "libc10_cuda.so", "libcudart.so.12", "libcudnn.so.9", "libtorch.so", "libtorch_cpu.so", "libtorch_cuda.so"],
            Directory.EnumerateFiles(folder).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal));
        Assert.Equal(Cuda, File.ReadAllBytes(Path.Combine(folder, "libtorch_cuda.so")));
        Assert.Equal(Cpu, File.ReadAllBytes(Path.Combine(folder, "libtorch_cpu.so")));
        Assert.Equal("libc10_cuda.so", File.ReadAllText(Path.Combine(folder, "libc10_cuda.so")));
        Assert.Equal(before, Listing("packages"));
        Assert.Equal((Cuda.Length + Cpu.Length, Cuda.Length + Cpu.Length), (told[^1].Done, told[^1].Total));
        Assert.Contains(told, t => t.News == "putting libtorch_cuda.so together from 12 packages");
    }

    [Fact]
    public void They_are_put_together_once()
    {
        string[] packages = Packages();
        string folder = LibtorchFolder.OfCuda(packages, _folder["cache"]);
        var written = Whole().ToDictionary(f => f, File.GetLastWriteTimeUtc);
        var told = new List<StitchProgress>();

        Assert.Equal(folder, LibtorchFolder.OfCuda(packages, _folder["cache"], told.Add));

        // Another set of packages has another folder, and the same whole libraries.
        string other = LibtorchFolder.OfCuda([.. packages, Package("more", Native, "libmore.so", "more"u8.ToArray())], _folder["cache"], told.Add);

        Assert.NotEqual(folder, other);
        Assert.Equal(Cuda, File.ReadAllBytes(Path.Combine(other, "libtorch_cuda.so")));
        Assert.Empty(told);
        Assert.Equal(written, Whole().ToDictionary(f => f, File.GetLastWriteTimeUtc));
    }

    [Fact]
    public void What_a_clean_up_took_from_the_cache_is_made_again()
    {
        string[] packages = Packages();
        string folder = LibtorchFolder.OfCuda(packages, _folder["cache"]);
        Directory.Delete(_folder["cache/native/whole"], recursive: true);

        Assert.Equal(folder, LibtorchFolder.OfCuda(packages, _folder["cache"]));
        Assert.Equal(Cuda, File.ReadAllBytes(Path.Combine(folder, "libtorch_cuda.so")));

        File.Delete(Path.Combine(folder, "libcudnn.so.9"));
        Assert.Equal(folder, LibtorchFolder.OfCuda(packages, _folder["cache"]));
        Assert.True(File.Exists(Path.Combine(folder, "libcudnn.so.9")));
    }

    [Fact]
    public void Libraries_that_a_build_has_put_together_in_the_packages_folder_are_taken_as_they_are()
    {
        string[] packages = Packages();
        File.WriteAllBytes(First("libtorch_cuda.so"), Cuda); // as TorchSharp's own build target leaves it: whole, its fragments gone
        File.WriteAllBytes(First("libtorch_cpu.so"), Cpu); // and here with fragments still there
        foreach (string fragment in Directory.EnumerateFiles(_folder["packages"], "libtorch_cuda.so.fragment*", SearchOption.AllDirectories))
        {
            File.Delete(fragment);
        }

        string folder = LibtorchFolder.OfCuda(packages, _folder["cache"]);

        Assert.Equal(First("libtorch_cuda.so"), new FileInfo(Path.Combine(folder, "libtorch_cuda.so")).LinkTarget);
        Assert.Equal(First("libtorch_cpu.so"), new FileInfo(Path.Combine(folder, "libtorch_cpu.so")).LinkTarget);
        Assert.Empty(Whole());
    }

    [Fact]
    public void A_package_that_was_whole_and_came_back_in_pieces_is_not_taken_for_whole()
    {
        string[] packages = Packages();
        byte[] piece = File.ReadAllBytes(First("libtorch_cuda.so"));
        File.WriteAllBytes(First("libtorch_cuda.so"), Cuda);
        string before = LibtorchFolder.OfCuda(packages, _folder["cache"]);
        File.WriteAllBytes(First("libtorch_cuda.so"), piece);

        string after = LibtorchFolder.OfCuda(packages, _folder["cache"]);

        Assert.NotEqual(before, after);
        Assert.Equal(Cuda, File.ReadAllBytes(Path.Combine(after, "libtorch_cuda.so")));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(0)]
    public void A_missing_fragment_is_named(int missing)
    {
        string[] packages = Packages();
        foreach (string fragment in Directory.EnumerateFiles(_folder["packages"], missing == 0 ? "libtorch_cuda.so.fragment*" : $"libtorch_cuda.so.fragment{missing}", SearchOption.AllDirectories))
        {
            File.Delete(fragment);
        }

        var failure = Assert.Throws<UnusableInputException>(() => LibtorchFolder.OfCuda(packages, _folder["cache"]));

        Assert.Equal("SCAL8210", failure.Code);
        Assert.Contains($"{First("libtorch_cuda.so")} is its first piece, and libtorch_cuda.so.fragment{Math.Max(1, missing)} is in {Fragments} of none of the native packages", failure.Message);
        Assert.Contains($"Remove the folders of the packages {Meta}-part3*", failure.Hint);
        Assert.Empty(Whole());
    }

    [Fact]
    public void A_damaged_or_last_missing_fragment_is_found_by_the_digest_and_nothing_of_it_stays()
    {
        string[] packages = Packages();
        string last = Directory.EnumerateFiles(_folder["packages"], "libtorch_cuda.so.fragment11", SearchOption.AllDirectories).Single();
        byte[] bytes = File.ReadAllBytes(last);
        File.Delete(last);
        var short1 = Assert.Throws<UnusableInputException>(() => LibtorchFolder.OfCuda(packages, _folder["cache"]));
        bytes[0] ^= 1;
        File.WriteAllBytes(last, bytes);
        var damaged = Assert.Throws<UnusableInputException>(() => LibtorchFolder.OfCuda(packages, _folder["cache"]));

        Assert.Equal(("SCAL8211", "SCAL8211"), (short1.Code, damaged.Code));
        Assert.Contains("the 11 pieces of libtorch_cuda.so do not give the library", short1.Message);
        Assert.Contains($"expected {Sha(Cuda)} ({First("libtorch_cuda.so")}.sha)", damaged.Message);
        Assert.Contains($"{last} ({bytes.Length:#,0} bytes)", damaged.Message);
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(_folder["cache"], "*", SearchOption.AllDirectories), f => Path.GetFileName(f) == "libtorch_cuda.so" || f.EndsWith(".unfinished", StringComparison.Ordinal));

        bytes[0] ^= 1;
        File.WriteAllBytes(last, bytes);
        Assert.Equal(Cuda, File.ReadAllBytes(Path.Combine(LibtorchFolder.OfCuda(packages, _folder["cache"]), "libtorch_cuda.so")));
    }

    [Fact]
    public void A_digest_that_is_none_is_told()
    {
        string[] packages = Packages();
        File.WriteAllText(First("libtorch_cuda.so") + ".sha", "<html>");

        var failure = Assert.Throws<UnusableInputException>(() => LibtorchFolder.OfCuda(packages, _folder["cache"]));

        Assert.Equal("SCAL8211", failure.Code);
        Assert.Contains($"Remove the folder {_folder[$"packages/{Meta}-part3-primary/{Version}"]}", failure.Hint);
    }

    [Fact]
    public void A_disk_without_room_is_told_before_anything_is_written()
    {
        var failure = Assert.Throws<UnusableInputException>(() => LibtorchFolder.OfCuda(Packages(), _folder["cache"], _ => Cuda.Length, _ => { }, default));

        Assert.Equal("SCAL8212", failure.Code);
        Assert.Contains("libtorch_cpu.so, libtorch_cuda.so, which came in pieces, take 0.00 GB whole", failure.Message);
        Assert.Contains("--cache", failure.Hint);
        Assert.Empty(Whole());
    }

    [Fact]
    public void A_cache_that_cannot_be_written_is_told()
    {
        _folder.Write("cache/native", "a file where a folder should be");

        var failure = Assert.Throws<UnusableInputException>(() => LibtorchFolder.OfCuda(Packages(), _folder["cache"]));

        Assert.Equal("SCAL8213", failure.Code);
    }

    [Fact]
    public void Stopped_halfway_it_leaves_nothing_and_goes_on_from_the_beginning()
    {
        string[] packages = Packages();
        using var stop = new CancellationTokenSource();

        Assert.Throws<OperationCanceledException>(() => LibtorchFolder.OfCuda(packages, _folder["cache"], told =>
        {
            if (told.News.StartsWith("putting libtorch_cuda", StringComparison.Ordinal))
            {
                stop.Cancel();
            }
        }, stop.Token));

        Assert.DoesNotContain(Whole(), f => !f.EndsWith("libtorch_cpu.so", StringComparison.Ordinal));
        File.WriteAllText(_folder["cache/native/whole/what a killed process left.unfinished"], "");
        Assert.Equal(Cuda, File.ReadAllBytes(Path.Combine(LibtorchFolder.OfCuda(packages, _folder["cache"]), "libtorch_cuda.so")));
        Assert.Empty(Directory.EnumerateFiles(_folder["cache/native/whole"], "*.unfinished"));
    }

    [Fact]
    public async Task Several_at_once_make_each_library_once_and_those_who_wait_say_so()
    {
        string[] packages = Packages();
        using var holding = new ManualResetEventSlim();
        using var waited = new ManualResetEventSlim();
        var first = Task.Factory.StartNew(() => LibtorchFolder.OfCuda(packages, _folder["cache"], _ =>
        {
            holding.Set();
            waited.Wait(TimeSpan.FromSeconds(30));
        }), TaskCreationOptions.LongRunning);
        Assert.True(holding.Wait(TimeSpan.FromSeconds(30)));
        var told = new List<string>();
        string second = LibtorchFolder.OfCuda(packages, _folder["cache"], news =>
        {
            told.Add(news.News);
            waited.Set();
        });

        Assert.Equal(await first, second);
        Assert.Equal(["another process puts libtorch for CUDA together"], told.Distinct());
        Assert.Equal(Cuda, File.ReadAllBytes(Path.Combine(second, "libtorch_cuda.so")));
    }

    [CompilerFact]
    public void Put_together_they_load_and_find_each_other()
    {
        // Two real libraries, of which one needs the other; both cut into pieces as the real ones are.
        string cpu = Compile("libtorch_cpu.so", "int answer(void) { return 42; }");
        string cuda = Compile("libtorch_cuda.so", "int answer(void); int asked(void) { return answer(); }", cpu);
        string[] packages = Packages(File.ReadAllBytes(cuda), File.ReadAllBytes(cpu));

        string folder = LibtorchFolder.OfCuda(packages, _folder["cache"]);

        // In a process of their own: here they would take the place of libraries of the same names that other tests compute with.
        string program = _folder["ask"];
        Run("cc", "-o", program, _folder.Write("ask.c", """
            #include <dlfcn.h>
            int main(int count, char **arguments) {
                void *library = dlopen(arguments[1], RTLD_NOW);
                return library ? ((int (*)(void))dlsym(library, "asked"))() : 1;
            }
            """), "-ldl");
        using var asked = System.Diagnostics.Process.Start(program, [Path.Combine(folder, "libtorch_cuda.so")]);
        asked.WaitForExit();
        Assert.Equal(42, asked.ExitCode);
    }

    private string Compile(string name, string source, params string[] needs)
    {
        string library = _folder[name];
        Run("cc", ["-shared", "-fPIC", "-Wl,-rpath,$ORIGIN", $"-Wl,-soname,{name}", "-o", library, _folder.Write($"{name}.c", source), .. needs]);
        return library;
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    /// <summary>TorchSharp, TorchSharp-cuda-linux and everything of libtorch-cuda-12.8-linux-x64, as NuGet unpacks them.</summary>
    private string[] Packages(byte[]? cuda = null, byte[]? cpu = null)
    {
        cuda ??= Cuda;
        cpu ??= Cpu;
        byte[][] cudaPieces = Pieces(cuda, 12), cpuPieces = Pieces(cpu, 2);
        return
        [
            Package("torchsharp", Native, "libLibTorchSharp.so", "libLibTorchSharp.so"u8.ToArray(), "0.107.0"),
            Package("torchsharp-cuda-linux", "lib/netstandard2.0", "_._", [], "0.107.0"),
            Package(Meta, "lib/netstandard2.0", "_._", []),
            .. new[] { "libtorch.so", "libc10.so", "libc10_cuda.so", "libcudart.so.12" }.Select(l => Package($"{Meta}-part1", Native, l, Encoding.UTF8.GetBytes(l))).Distinct(),
            Split($"{Meta}-part2-primary", "libtorch_cpu.so", cpu, cpuPieces[0]),
            Package($"{Meta}-part2-fragment1", Fragments, "libtorch_cpu.so.fragment1", cpuPieces[1]),
            Split($"{Meta}-part3-primary", "libtorch_cuda.so", cuda, cudaPieces[0]),
            .. cudaPieces[1..].Select((piece, i) => Package($"{Meta}-part3-fragment{i + 1}", Fragments, $"libtorch_cuda.so.fragment{i + 1}", piece)),
            Package($"{Meta}-part9", Native, "libcudnn.so.9", "libcudnn.so.9"u8.ToArray()),
        ];
    }

    private string Split(string id, string library, byte[] whole, byte[] piece)
    {
        Package(id, Native, library + ".sha", Encoding.ASCII.GetBytes(Sha(whole)));
        return Package(id, Native, library, piece);
    }

    private string Package(string id, string under, string file, byte[] content, string version = Version)
    {
        string package = _folder[$"packages/{id}/{version}"];
        Directory.CreateDirectory(Path.Combine(package, under));
        File.WriteAllBytes(Path.Combine(package, under, file), content);
        return package;
    }

    private string First(string library) => Directory.EnumerateFiles(_folder["packages"], library, SearchOption.AllDirectories).Single();

    private string[] Whole() => Directory.Exists(_folder["cache/native/whole"]) ? [.. Directory.EnumerateFiles(_folder["cache/native/whole"], "*.so*", SearchOption.AllDirectories)] : [];

    private string Listing(string under) => string.Join('\n', Directory.EnumerateFiles(_folder[under], "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(f => $"{f} {Sha(File.ReadAllBytes(f))}"));

    private static byte[][] Pieces(byte[] whole, int count) => [.. Enumerable.Range(0, count).Select(i => whole[(int)((long)whole.Length * i / count)..(int)((long)whole.Length * (i + 1) / count)])];

    private static string Sha(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static byte[] Bytes(int seed, int count)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
