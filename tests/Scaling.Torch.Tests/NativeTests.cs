// libTorchSharp on a host whose libstdc++ is older than it asks for.
using Scaling.TestKit;

namespace Scaling.Torch.Tests;

public sealed class NativeTests
{
    private static readonly string Original = Libtorch.Folders.Select(f => Path.Combine(f, "runtimes/linux-x64/native/libLibTorchSharp.so")).Single(File.Exists);

    [Fact]
    public void The_lowered_copy_differs_in_one_hash_and_two_names_alone()
    {
        byte[] original = File.ReadAllBytes(Original);

        byte[] lowered = LoweredLibrary.Lower(original);

        Assert.Equal(original.Length, lowered.Length);
        var changed = Enumerable.Range(0, original.Length).Where(i => original[i] != lowered[i]).ToList();
        // 4 bytes of hash; 3 of ".32"; the marker's 28 with its replacement's 23, of which those that happen to be equal do not show.
        Assert.InRange(changed.Count, 20, 4 + 3 + 28);
        int version = Index(original, "\0GLIBCXX_3.4.32\0") + 1, marker = Index(original, "\0_ZSt21ios_base_library_initv\0") + 1;
        var hash = changed.Where(i => (i < version || i >= version + 14) && (i < marker || i >= marker + 28)).ToList();
        Assert.InRange(hash.Count, 1, 4);
        Assert.True(hash[^1] - hash[0] < 4);
        Assert.Equal(-1, Index(lowered, "\0GLIBCXX_3.4.32\0"));
        Assert.Equal("_ZNSt8ios_base4InitC1Ev\0", System.Text.Encoding.ASCII.GetString(lowered, marker, 24));
    }

    [Fact]
    public void The_linker_finds_no_newer_need_in_the_copy_and_resolves_all_its_symbols()
    {
        using var folder = new TemporaryFolder();
        string copy = folder["libLibTorchSharp.so"];
        File.WriteAllBytes(copy, LoweredLibrary.Lower(File.ReadAllBytes(Original)));

        Libtorch.Load();
        Assert.True(System.Runtime.InteropServices.NativeLibrary.TryLoad(copy, out nint handle), "the copy loads beside libtorch");
        Assert.True(System.Runtime.InteropServices.NativeLibrary.TryGetExport(handle, "THSTensor_new", out _));
    }

    [Fact]
    public void A_library_without_that_need_is_refused_and_left_alone()
    {
        byte[] lowered = LoweredLibrary.Lower(File.ReadAllBytes(Original));

        Assert.Contains("one version need of GLIBCXX_3.4.32", Assert.Throws<FormatException>(() => LoweredLibrary.Lower(lowered)).Message);
        Assert.Contains("64-bit little-endian ELF", Assert.Throws<FormatException>(() => LoweredLibrary.Lower("#!/bin/sh"u8)).Message);
        Assert.Throws<FormatException>(() => LoweredLibrary.Lower(File.ReadAllBytes(Original).AsSpan(0, 100_000)));
    }

    [Fact]
    public void No_native_library_lies_beside_a_program_that_uses_this_room()
    {
        string[] natives =
        [
            .. Directory.EnumerateFiles(AppContext.BaseDirectory, "*", SearchOption.AllDirectories)
                .Where(f => f.EndsWith(".so", StringComparison.Ordinal) || f.EndsWith(".dylib", StringComparison.Ordinal))
                .Where(f => !f.Contains("native-cache")),
        ];

        Assert.Empty(natives);
    }

    private static int Index(byte[] bytes, string text) => bytes.AsSpan().IndexOf(System.Text.Encoding.ASCII.GetBytes(text));
}
