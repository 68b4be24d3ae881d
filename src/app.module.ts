import { type DynamicModule, Module } from '@nestjs/common';
import type { Config } from './config.js';
import { HttpDoorModule } from './doors/http/http-door.module.js';
import type { HttpPorts } from './doors/http/ports.js';

/** Composition for Nest: which doors this process has. What they stand on is made in service.ts. */
@Module({})
// biome-ignore lint/complexity/noStaticOnlyClass: Nest's form of a module with arguments
export class AppModule {
  static forRoot(ports: HttpPorts, role: Config['ROLE']): DynamicModule {
    const door = role === 'projector' ? HttpDoorModule.healthOnly(ports) : HttpDoorModule.forRoot(ports);
    return { module: AppModule, imports: [door] };
  }
}
