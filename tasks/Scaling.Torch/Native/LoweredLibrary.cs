// An ELF library's need of a newer libstdc++, lowered in a copy: TorchSharp's libLibTorchSharp.so asks for GLIBCXX_3.4.32 for one link-time marker.
using System.Buffers.Binary;
using System.Text;

namespace Scaling.Torch;

/// <summary>
/// TorchSharp 0.107.0 is built with GCC 13, whose every object refers to <c>_ZSt21ios_base_library_initv</c>, a marker of version GLIBCXX_3.4.32 that
/// does nothing at run time. Debian 12, Ubuntu 22.04 and RHEL 9 end at 3.4.30 or earlier. In the copy the version need becomes GLIBCXX_3.4 and the
/// marker becomes <c>std::ios_base::Init::Init()</c>, which every libstdc++ has at that version; nothing else changes.
/// </summary>
public static class LoweredLibrary
{
    private const uint VersionNeedSection = 0x6ffffffe; // SHT_GNU_verneed
    private const string NewVersion = "GLIBCXX_3.4.32";
    private const string OldVersion = "GLIBCXX_3.4";
    private const string NewMarker = "_ZSt21ios_base_library_initv";
    private const string OldMarker = "_ZNSt8ios_base4InitC1Ev";

    /// <summary>The library's bytes with the need lowered.</summary>
    /// <param name="library">A 64-bit little-endian ELF library.</param>
    /// <exception cref="FormatException">The bytes are not those of a library with exactly this need.</exception>
    public static byte[] Lower(ReadOnlySpan<byte> library)
    {
        byte[] elf = library.ToArray();
        Expect(elf.Length > 64 && elf.AsSpan(0, 6).SequenceEqual("\u007fELF\u0002\u0001"u8), "a 64-bit little-endian ELF file");
        try
        {
            var (needs, strings) = Sections(elf);
            LowerVersionNeed(elf, needs, strings);
            ReplaceName(elf.AsSpan((int)strings.Offset, (int)strings.Size), NewMarker, OldMarker);
        }
        catch (Exception e) when (e is ArgumentException or IndexOutOfRangeException)
        {
            throw new FormatException("the file is cut short", e);
        }

        return elf;
    }

    private readonly record struct Section(uint Type, uint Link, ulong Offset, ulong Size, uint Entries);

    /// <summary>.gnu.version_r and the string table that it links to, .dynstr.</summary>
    private static (Section Needs, Section Strings) Sections(ReadOnlySpan<byte> elf)
    {
        int table = (int)BinaryPrimitives.ReadUInt64LittleEndian(elf[0x28..]);
        int entrySize = BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3A..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(elf[0x3C..]);
        for (int i = 0; i < count; i++)
        {
            var needs = ReadSection(elf, table + i * entrySize);
            if (needs.Type == VersionNeedSection)
            {
                return (needs, ReadSection(elf, table + (int)needs.Link * entrySize));
            }
        }

        throw new FormatException("expected a section of version needs (.gnu.version_r)");
    }

    private static Section ReadSection(ReadOnlySpan<byte> elf, int at) => new(
        BinaryPrimitives.ReadUInt32LittleEndian(elf[(at + 4)..]),
        BinaryPrimitives.ReadUInt32LittleEndian(elf[(at + 0x28)..]),
        BinaryPrimitives.ReadUInt64LittleEndian(elf[(at + 0x18)..]),
        BinaryPrimitives.ReadUInt64LittleEndian(elf[(at + 0x20)..]),
        BinaryPrimitives.ReadUInt32LittleEndian(elf[(at + 0x2C)..]));

    /// <summary>Walks Elf64_Verneed and its Elf64_Vernaux entries; the one that names the new version gets the old one's hash and name.</summary>
    private static void LowerVersionNeed(Span<byte> elf, Section needs, Section strings)
    {
        int lowered = 0;
        int need = (int)needs.Offset;
        for (uint n = 0; n < needs.Entries; n++)
        {
            int count = BinaryPrimitives.ReadUInt16LittleEndian(elf[(need + 2)..]);
            int entry = need + (int)BinaryPrimitives.ReadUInt32LittleEndian(elf[(need + 8)..]);
            for (int i = 0; i < count; i++)
            {
                int name = (int)strings.Offset + (int)BinaryPrimitives.ReadUInt32LittleEndian(elf[(entry + 8)..]);
                if (NameAt(elf, name) == NewVersion)
                {
                    Expect(BinaryPrimitives.ReadUInt32LittleEndian(elf[entry..]) == Hash(NewVersion), $"the hash of {NewVersion} in its version need");
                    BinaryPrimitives.WriteUInt32LittleEndian(elf[entry..], Hash(OldVersion));
                    Overwrite(elf.Slice(name, NewVersion.Length), OldVersion);
                    lowered++;
                }

                entry += (int)BinaryPrimitives.ReadUInt32LittleEndian(elf[(entry + 12)..]);
            }

            need += (int)BinaryPrimitives.ReadUInt32LittleEndian(elf[(need + 12)..]);
        }

        Expect(lowered == 1, $"one version need of {NewVersion}");
    }

    private static void ReplaceName(Span<byte> strings, string name, string replacement)
    {
        int at = strings.IndexOf(Encoding.ASCII.GetBytes($"\0{name}\0")) + 1;
        Expect(at > 0, $"the symbol {name} in .dynstr");
        Overwrite(strings.Slice(at, name.Length), replacement);
    }

    private static void Overwrite(Span<byte> place, string text)
    {
        place.Clear();
        Encoding.ASCII.GetBytes(text, place);
    }

    private static string NameAt(ReadOnlySpan<byte> elf, int at) => Encoding.ASCII.GetString(elf[at..][..elf[at..].IndexOf((byte)0)]);

    /// <summary>The System V ABI's hash of a symbol name.</summary>
    private static uint Hash(string name)
    {
        uint hash = 0;
        foreach (char c in name)
        {
            hash = (hash << 4) + c;
            uint high = hash & 0xf0000000;
            hash = (hash ^ (high >> 24)) & ~high;
        }

        return hash;
    }

    private static void Expect(bool holds, string what)
    {
        if (!holds)
        {
            throw new FormatException($"expected {what}");
        }
    }
}
