// A standard stream that is a terminal, written to as it is.
using System.Runtime.InteropServices;

namespace Scaling.Cli;

/// <summary>
/// .NET's own streams first send a terminal what puts its cursor keys into another mode, send it again whenever a child process has ended, in the middle of whatever is drawn, and leave it so when they end
/// (https://github.com/dotnet/runtime/blob/v10.0.0/src/libraries/System.Console/src/System/ConsolePal.Unix.cs, EnsureConsoleInitialized).
/// </summary>
/// <param name="descriptor">1 or 2.</param>
internal sealed partial class TerminalStream(int descriptor) : Stream
{
    private const int Interrupted = 4;
    private const int WouldBlock = 11;
    private const short Writable = 4;
    private const int Forever = -1;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Writes all of it.</summary>
    /// <param name="buffer">Bytes.</param>
    /// <exception cref="IOException">The terminal was closed.</exception>
    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        fixed (byte* bytes = buffer)
        {
            for (int written = 0; written < buffer.Length;)
            {
                nint some = Write(descriptor, bytes + written, buffer.Length - written);
                if (some >= 0)
                {
                    written += (int)some;
                    continue;
                }

                int error = Marshal.GetLastPInvokeError();
                if (error == WouldBlock)
                {
                    var wait = new Poll { Descriptor = descriptor, Events = Writable }; // Another program that has the terminal too may have asked for this.
                    _ = Wait(ref wait, 1, Forever);
                }
                else if (error != Interrupted)
                {
                    throw new IOException(Marshal.GetPInvokeErrorMessage(error));
                }
            }
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
        // Nothing is kept back.
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static unsafe partial nint Write(int descriptor, byte* bytes, nint count);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Wait(ref Poll poll, nuint count, int milliseconds);

    [StructLayout(LayoutKind.Sequential)]
    private struct Poll
    {
        public int Descriptor;
        public short Events;
        public short Happened;
    }
}
